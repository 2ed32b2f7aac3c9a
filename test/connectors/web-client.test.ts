/** The guard and the patience of every kind that speaks HTTP. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { AddressBook } from '../../connectors/web-address.ts';
import { retryDelayMs, WebClient, type WebOptions } from '../../connectors/web-client.ts';
import type { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type Handler, type JsonServer, withJsonServer } from './http/server.ts';

const context = (loopbackAllowed = true, signal = new AbortController().signal) => ({
  signal,
  label: 'huitong/测试',
  loopbackAllowed,
});

async function withClient<T>(body: (client: WebClient) => Promise<T>, options: Partial<WebOptions> = {}): Promise<T> {
  const client = new WebClient({ context: context(), ...options });
  try {
    return await body(client);
  } finally {
    client.close();
  }
}

function fetchText(server: JsonServer, path: string, options: Partial<WebOptions> = {}, bytesMax = 1_000_000) {
  return withClient(async (client) => {
    const url = new URL(path, server.url);
    return (await client.bytes({ url, credentials: { authorization: 'Bearer s3cret' } }, bytesMax)).bytes.toString();
  }, options);
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: HuitongError) => error.code,
  );

test('the worker’s own machine, link-local addresses and metadata services are refused, by name and by number', async () => {
  const blocked = async (url: string, loopbackAllowed = false) =>
    codeOf(withClient((client) => client.request({ url: new URL(url) }), { context: context(loopbackAllowed) }));
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '[::ffff:127.0.0.1]']) {
    expect(await blocked(`http://${host}:1/`), host).toBe('SSRF_BLOCKED');
  }
  for (const host of [
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '[::ffff:169.254.169.254]',
  ]) {
    expect(await blocked(`http://${host}/`, true), host).toBe('SSRF_BLOCKED');
  }
  expect(await blocked('http://127.0.0.1:1/', true)).toBe('SOURCE_UNREACHABLE');
  expect(await blocked('ftp://10.0.0.1/')).toBe('SSRF_BLOCKED');
});

test('a name is resolved once: an answer that changes afterwards changes nothing (DNS rebinding)', async () => {
  await withJsonServer({ '/': () => 'fine' }, async (server) => {
    let asked = 0;
    const resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    await withClient(
      async (client) => {
        for (let i = 0; i < 3; i++) {
          const { bytes } = await client.bytes({ url: new URL(`http://api.example.invalid:${server.port}/`) }, 100);
          expect(bytes.toString()).toBe('fine');
        }
      },
      { resolve },
    );
    expect(asked).toBe(1);
    // One bad address among several is enough.
    const mixed = new AddressBook(false, async () => [
      { address: '10.1.2.3', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]);
    await expect(mixed.admit('mixed.invalid')).rejects.toMatchObject({ code: 'SSRF_BLOCKED' });
  });
});

test('redirects are followed, but not to blocked addresses, and credentials stay with their origin', async () => {
  const to =
    (location: string, status = 302): Handler =>
    (_, __, response) => {
      response.writeHead(status, { location }).end();
    };
  await withJsonServer({ '/who': (_, request) => request.headers.authorization ?? 'nobody' }, (other) =>
    withJsonServer(
      {
        '/near': to('/who'),
        '/far': to(`${other.url}/who`),
        '/metadata': to('http://169.254.169.254/latest/'),
        '/loop': to('/loop', 307),
        '/who': (_, request) => request.headers.authorization ?? 'nobody',
      },
      async (server) => {
        expect(await fetchText(server, '/near')).toBe('Bearer s3cret');
        expect(await fetchText(server, '/far')).toBe('nobody');
        expect(await codeOf(fetchText(server, '/metadata'))).toBe('SSRF_BLOCKED');
        expect(await codeOf(fetchText(server, '/loop'))).toBe('SOURCE_FAILED');
        expect(server.requests.filter((line) => line.endsWith('/loop'))).toHaveLength(limits.webRedirectsMax + 1);
      },
    ),
  );
});

test('compressed answers are read; one that grows beyond measure is DECOMPRESSION_LIMIT, a long one OBJECT_TOO_LARGE', async () => {
  const encoded =
    (encoding: string, body: Buffer): Handler =>
    (_, __, response) => {
      response.setHeader('content-encoding', encoding);
      return body;
    };
  const text = Buffer.from('汇通'.repeat(1000));
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const handlers = {
    '/gzip': encoded('gzip', gzipSync(text)),
    '/br': encoded('br', brotliCompressSync(text)),
    '/deflate': encoded('deflate', deflateSync(text)),
    '/bomb': encoded('gzip', bomb),
    '/damaged': encoded('gzip', gzipSync(text).subarray(5)),
    '/strange': encoded('lzma', text),
    '/long': () => 'x'.repeat(2000),
  };
  await withJsonServer(handlers, async (server) => {
    for (const path of ['/gzip', '/br', '/deflate']) expect(await fetchText(server, path)).toBe(text.toString());
    expect(await codeOf(fetchText(server, '/bomb', {}, 128 * 1024 * 1024))).toBe('DECOMPRESSION_LIMIT');
    expect(await codeOf(fetchText(server, '/damaged'))).toBe('SOURCE_FAILED');
    expect(await codeOf(fetchText(server, '/strange'))).toBe('SOURCE_FAILED');
    expect(await codeOf(fetchText(server, '/long', {}, 1999))).toBe('OBJECT_TOO_LARGE');
    expect(await fetchText(server, '/long', {}, 2000)).toHaveLength(2000);
  });
});

test('429, 5xx and broken answers are asked again; denials are not', async () => {
  const failing = (times: number, status: number, headers: Record<string, string> = {}): Handler => {
    let seen = 0;
    return (_, __, response) => {
      if (seen++ >= times) return 'at last';
      response.writeHead(status, headers).end();
      return undefined;
    };
  };
  let broken = 0;
  await withJsonServer(
    {
      '/busy': failing(2, 429, { 'retry-after': '0' }),
      '/down': failing(2, 503, { 'retry-after': '0' }),
      '/denied': failing(1, 403),
      '/always': failing(99, 500, { 'retry-after': '0' }),
      '/broken': (_, __, response) => {
        if (broken++ > 0) return 'whole';
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setTimeout(() => response.destroy(), 20);
        return undefined;
      },
    },
    async (server) => {
      expect(await fetchText(server, '/busy')).toBe('at last');
      expect(await fetchText(server, '/down')).toBe('at last');
      expect(await fetchText(server, '/broken')).toBe('whole');
      expect(await codeOf(fetchText(server, '/denied'))).toBe('SOURCE_FORBIDDEN');
      expect(await codeOf(fetchText(server, '/always'))).toBe('SOURCE_FAILED');
      expect(server.requests.filter((line) => line.endsWith('/always'))).toHaveLength(limits.webAttemptsMax);
      expect(server.requests.filter((line) => line.endsWith('/denied'))).toHaveLength(1);
    },
  );
});

test('Retry-After is honoured as seconds and as a date, up to a limit', () => {
  const now = Date.parse('2026-03-01T00:00:00Z');
  expect(retryDelayMs(1, '7', now)).toBe(7_000);
  expect(retryDelayMs(1, 'Sun, 01 Mar 2026 00:00:03 GMT', now)).toBe(3_000);
  expect(retryDelayMs(1, '86400', now)).toBe(limits.webRetryMaxMs);
  expect(retryDelayMs(3)).toBeGreaterThanOrEqual(4 * limits.webRetryMs);
  expect(retryDelayMs(3, 'soon')).toBeLessThanOrEqual(5 * limits.webRetryMs);
});

test('a silent server is SOURCE_TIMEOUT; a rate is kept; cancellation is heard while waiting', async () => {
  await withJsonServer({ '/silent': () => undefined, '/': () => 'x' }, async (server) => {
    expect(await codeOf(fetchText(server, '/silent', { responseTimeoutMs: 100 }))).toBe('SOURCE_TIMEOUT');
    const startedAt = performance.now();
    await withClient(
      async (client) => {
        for (let i = 0; i < 4; i++) await client.bytes({ url: new URL(server.url) }, 10);
      },
      { requestsPerSecond: 20 },
    );
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
    const owner = new AbortController();
    const waiting = codeOf(fetchText(server, '/silent', { context: context(true, owner.signal) }));
    setTimeout(() => owner.abort(), 50);
    expect(await waiting).toBe('CANCELLED');
  });
});
