/** Authentication and paging as APIs do them, and how APIs go wrong. */
import { expect, test } from 'vitest';
import type { HttpConfig, HttpTable } from '../../../connectors/http/config.ts';
import { http } from '../../../connectors/http/index.ts';
import { nextLink } from '../../../connectors/http/paging.ts';
import type { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { bodyOf, type Handler, type JsonServer, withJsonServer } from './server.ts';

const context = { signal: new AbortController().signal, label: 'huitong/test', loopbackAllowed: true };
const items: HttpTable = {
  name: 'items',
  path: '/items',
  records: '/data',
  columns: [{ name: 'id', type: 'integer' }],
};

function configOf(server: JsonServer, table: Partial<HttpTable> = {}, more: Partial<HttpConfig> = {}): HttpConfig {
  return { url: server.url, tables: [{ ...items, ...table }], ...more };
}

/** The ids of every record, in the order of reading. */
async function idsOf(config: HttpConfig): Promise<number[]> {
  const snapshot = await http.openSnapshot(config, context);
  try {
    const plan = structuredClone(await http.plan(snapshot, { table: { name: 'items' } }, { partitions: 1 }));
    const ids: number[] = [];
    const { batchRowsMax, batchBytesMax } = limits;
    for (const partition of plan.partitions) {
      for await (const { batch } of http.read(config, { plan, partition, batchRowsMax, batchBytesMax }, context)) {
        ids.push(...[...(batch.getChild('id') ?? [])].map(Number));
      }
    }
    return ids;
  } finally {
    await snapshot.close();
  }
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: HuitongError) => ({ code: error.code, message: error.message }),
  );
const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const data = (ids: number[], more: object = {}) => ({ data: ids.map((id) => ({ id })), ...more });

test('each authentication proves itself, and the wrong secret is SOURCE_AUTH', async () => {
  const guarded =
    (isRight: (request: Parameters<Handler>[1], url: URL) => boolean): Handler =>
    (url, request, response) => {
      if (!isRight(request, url)) response.statusCode = 401;
      return data([1]);
    };
  const basic = `Basic ${Buffer.from('用户:p:w').toString('base64')}`;
  const right: [string, NonNullable<HttpConfig['authentication']>, Handler][] = [
    ['basic', { kind: 'basic', user: '用户', password: 'p:w' }, guarded((r) => r.headers.authorization === basic)],
    ['bearer', { kind: 'bearer', token: 't' }, guarded((r) => r.headers.authorization === 'Bearer t')],
    ['header', { kind: 'apiKey', in: 'header', name: 'X-Key', key: 'k' }, guarded((r) => r.headers['x-key'] === 'k')],
    [
      'query',
      { kind: 'apiKey', in: 'query', name: 'key', key: 'k&=' },
      guarded((_, url) => url.searchParams.get('key') === 'k&='),
    ],
  ];
  for (const [name, authentication, handler] of right) {
    await withJsonServer({ '/items': handler }, async (server) => {
      expect(await idsOf(configOf(server, {}, { authentication })), name).toEqual([1]);
      expect(await failure(idsOf(configOf(server))), name).toMatchObject({ code: 'SOURCE_AUTH' });
    });
  }
});

test('OAuth 2 client credentials: a token is fetched once, and anew when it is withdrawn', async () => {
  let issued = 0;
  let valid = '';
  const handlers: Record<string, Handler> = {
    '/token': async (_, request, response) => {
      const form = new URLSearchParams(await bodyOf(request));
      const pair = `Basic ${Buffer.from('client:se%20cret').toString('base64')}`;
      if (request.headers.authorization !== pair) {
        response.statusCode = 400;
        return { error: 'invalid_client' };
      }
      valid = `${form.get('grant_type')}-${form.get('scope')}-${++issued}`;
      return { access_token: valid, token_type: 'Bearer', expires_in: 3600 };
    },
    '/items': (url, request, response) => {
      if (request.headers.authorization !== `Bearer ${valid}`) response.statusCode = 401;
      if (url.searchParams.get('p') === '2') valid = valid === 'client_credentials-read-2' ? 'withdrawn' : valid;
      return data(
        count(5)
          .slice(Number(url.searchParams.get('p')) * 2 - 2)
          .slice(0, 2),
      );
    },
  };
  await withJsonServer(handlers, async (server) => {
    const authentication = {
      kind: 'oauth2',
      authorizationServer: `${server.url}/token`,
      clientId: 'client',
      scope: 'read',
    } as const;
    const config = (clientSecret: string) =>
      configOf(
        server,
        { paging: { kind: 'page', parameter: 'p' } },
        { authentication: { ...authentication, clientSecret } },
      );
    expect(await idsOf(config('se cret'))).toEqual(count(5));
    // One for the snapshot, one for the read, one after the read's was withdrawn.
    expect(issued).toBe(3);
    expect(await failure(idsOf(config('wrong')))).toMatchObject({ code: 'SOURCE_AUTH' });
  });
});

test('every way of paging gives every record once, even where the API serves less than it was asked for', async () => {
  const all = count(25);
  const served = (from: number) => all.slice(from, from + 10);
  const ways: [string, Partial<HttpTable>, Handler][] = [
    [
      'page',
      { paging: { kind: 'page', parameter: 'p', sizeParameter: 'size', size: 1000 } },
      (url) => data(served((Number(url.searchParams.get('p')) - 1) * 10)),
    ],
    [
      'page from 0',
      { paging: { kind: 'page', parameter: 'p', first: 0 }, total: '/n' },
      (url) => data(served(Number(url.searchParams.get('p')) * 10), { n: 25 }),
    ],
    [
      'offset',
      { paging: { kind: 'offset', parameter: 'o', sizeParameter: 'size', size: 15 } },
      (url) => data(served(Number(url.searchParams.get('o')))),
    ],
    [
      'offset, more',
      { paging: { kind: 'offset', parameter: 'o', more: '/more' } },
      (url) => data(served(Number(url.searchParams.get('o'))), { more: Number(url.searchParams.get('o')) < 20 }),
    ],
    [
      'cursor',
      { paging: { kind: 'cursor', pointer: '/next', parameter: 'c' } },
      (url) => {
        const from = Number(url.searchParams.get('c') ?? 0);
        return data(served(from), { next: from < 20 ? from + 10 : null });
      },
    ],
    [
      'nextUrl',
      { paging: { kind: 'nextUrl', pointer: '/links/next' } },
      (url) => {
        const from = Number(url.searchParams.get('f') ?? 0);
        return data(served(from), { links: from < 20 ? { next: `/items?f=${from + 10}` } : {} });
      },
    ],
    [
      'link',
      { paging: { kind: 'link' } },
      (url, _, response) => {
        const from = Number(url.searchParams.get('f') ?? 0);
        const next = from < 20 ? [`<?f=${from + 10}>; title="a, b"; rel="last next"`] : [];
        response.setHeader('link', ['</items>; rel=first', ...next].join(', '));
        return data(served(from));
      },
    ],
    ['none', {}, () => data(all)],
    [
      'POST',
      { method: 'POST', body: { want: '全部' } },
      async (_, request) => data(JSON.parse(await bodyOf(request)).want === '全部' ? all : []),
    ],
  ];
  for (const [name, table, handler] of ways) {
    await withJsonServer({ '/items': handler }, async (server) => {
      expect(await idsOf(configOf(server, table)), name).toEqual(all);
    });
  }
});

test('an API that gives the same page for ever is told, not followed', async () => {
  const repeating: [Partial<HttpTable>, Handler][] = [
    [{ paging: { kind: 'page', parameter: 'p' } }, () => data([1, 2])],
    [{ paging: { kind: 'cursor', pointer: '/next', parameter: 'c' } }, () => data([1], { next: 'again' })],
    [{ paging: { kind: 'nextUrl', pointer: '/next' } }, () => data([1], { next: '/items?x=1' })],
  ];
  for (const [table, handler] of repeating) {
    await withJsonServer({ '/items': handler }, async (server) => {
      expect(await failure(idsOf(configOf(server, table)))).toMatchObject({
        code: 'SOURCE_FAILED',
        message: expect.stringContaining('again and again'),
      });
    });
  }
});

test('a steady total that the pages do not add up to is RECONCILIATION_MISMATCH; one that moves is not', async () => {
  const paged =
    (totalOf: (page: number) => number): Handler =>
    (url) => {
      const page = Number(url.searchParams.get('p'));
      return data(count(10).slice((page - 1) * 4, page * 4), { n: totalOf(page) });
    };
  const table: Partial<HttpTable> = { paging: { kind: 'page', parameter: 'p' }, total: '/n' };
  await withJsonServer({ '/items': paged(() => 11) }, async (server) => {
    expect(await failure(idsOf(configOf(server, table)))).toMatchObject({ code: 'RECONCILIATION_MISMATCH' });
  });
  await withJsonServer({ '/items': paged(() => 10) }, async (server) => {
    expect(await idsOf(configOf(server, table))).toHaveLength(10);
    const snapshot = await http.openSnapshot(configOf(server, table), context);
    expect(await snapshot.controlTotals({ table: { name: 'items' } })).toEqual({ rows: 10, sums: {} });
    await snapshot.close();
  });
  await withJsonServer({ '/items': paged((page) => 10 + page) }, async (server) => {
    expect(await idsOf(configOf(server, table))).toHaveLength(10);
  });
});

test('a next page at another origin gets no credentials, and none at a blocked address', async () => {
  const authentication = { kind: 'bearer', token: 'secret' } as const;
  const paging = { kind: 'nextUrl', pointer: '/next' } as const;
  await withJsonServer(
    { '/rest': (_, request) => data(request.headers.authorization === undefined ? [2] : [666]) },
    (other) =>
      withJsonServer(
        {
          '/items': () => data([1], { next: `${other.url}/rest` }),
          '/bad': () => data([1], { next: 'http://169.254.169.254/' }),
        },
        async (server) => {
          expect(await idsOf(configOf(server, { paging }, { authentication }))).toEqual([1, 2]);
          const bad = configOf(server, { paging, path: '/bad' }, { authentication });
          expect(await failure(idsOf(bad))).toMatchObject({ code: 'SSRF_BLOCKED' });
        },
      ),
  );
});

test('what is not JSON, or ambiguous, or not where it was said to be, is told without its content', async () => {
  const answers: [string | Buffer, string][] = [
    ['{"data":[{"id":1}', 'JSON_INVALID'],
    ['{"data":[{"id":1,"id":2}]}', 'JSON_AMBIGUOUS'],
    ['{"error":"张三"}', 'SOURCE_FAILED'],
    [Buffer.from([0x22, 0xff, 0x22]), 'ENCODING'],
  ];
  for (const [text, code] of answers) {
    await withJsonServer({ '/items': () => text }, async (server) => {
      const error = await failure(idsOf(configOf(server)));
      expect(error).toMatchObject({ code });
      expect(error?.message).not.toContain('张三');
    });
  }
});

test('Link headers, RFC 8288', () => {
  expect(nextLink('<https://a/?x=1,2>; rel="next"')).toBe('https://a/?x=1,2');
  expect(nextLink('</1>; rel=prev, </2>; REL=Next; title="x"')).toBe('/2');
  expect(nextLink('</1>; rel="prev", </2>; title="rel=next"')).toBe(undefined);
  expect(nextLink('')).toBe(undefined);
});
