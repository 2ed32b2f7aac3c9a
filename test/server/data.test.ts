import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchOf } from '../exchange/access/support.ts';
import { until } from '../support/until.ts';
import { type Caller, openServer, problemOf, type TestServer } from './support.ts';

const data = '/datasets/health.vaccinations/data';

let server: TestServer;
let officer: Caller;
let digests: string[];
beforeAll(async () => {
  server = await openServer();
  officer = await server.as('traffic', 'officer');
  const parts = [
    [
      batchOf([
        [1n, '王'],
        [2n, null],
      ]),
    ],
    [batchOf([[9_007_199_254_740_993n, '欧阳"娜",\n']]), batchOf([[4n, '李']])],
  ];
  ({ digests } = await server.bench.publish(parts));
});
afterAll(() => server.close());

describe('formats', () => {
  test.each([
    [undefined, 'application/vnd.apache.arrow.stream'],
    ['*/*', 'application/vnd.apache.arrow.stream'],
    ['text/*', 'text/csv; charset=utf-8; header=present'],
    ['text/csv;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['application/jsonl', 'application/jsonl'],
    ['*/*;q=0.1, application/vnd.apache.arrow.stream;q=0, text/csv', 'text/csv; charset=utf-8; header=present'],
  ])('Accept: %s gives %s', async (accept, type) => {
    const response = await officer('GET', data, { headers: accept === undefined ? {} : { accept } });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe(type);
    expect(response.headers.vary).toBe('accept, authorization');
  });

  test('what is not served is said, with what is', async () => {
    const problem = problemOf(await officer('GET', data, { headers: { accept: 'application/parquet, text/csv;q=0' } }));
    expect(problem).toMatchObject({ code: 'NOT_ACCEPTABLE', status: 406 });
    expect(problem.detail).toContain('text/csv');
  });

  test('the same rows in each', async () => {
    const arrow = tableFromIPC((await officer('GET', data)).rawPayload);
    expect([...arrow.getChild('id')!]).toEqual([1n, 2n, 9_007_199_254_740_993n, 4n]);
    expect([...arrow.getChild('姓名')!]).toEqual(['王', null, '欧阳"娜",\n', '李']);
    const csv = await officer('GET', data, { headers: { accept: 'text/csv' } });
    expect(csv.body).toBe('id,姓名\r\n1,王\r\n2,\r\n9007199254740993,"欧阳""娜"",\n"\r\n4,李\r\n');
    const bom = await officer('GET', `${data}?format=csv-bom`);
    expect(bom.rawPayload.subarray(0, 3).toString('hex')).toBe('efbbbf');
    const lines = await officer('GET', data, { headers: { accept: 'application/x-ndjson' } });
    expect(lines.body.split('\n')[2]).toBe('{"id":9007199254740993,"姓名":"欧阳\\"娜\\",\\n"}');
  });

  test('columns are chosen and ordered; one that is not there is refused', async () => {
    const chosen = await officer('GET', `${data}?columns=${encodeURIComponent('姓名')}`);
    expect(tableFromIPC(chosen.rawPayload).schema.fields.map(({ name }) => name)).toEqual(['姓名']);
    const turned = await officer('GET', `${data}?columns=${encodeURIComponent('姓名,id')}`, {
      headers: { accept: 'text/csv' },
    });
    expect(turned.body.split('\r\n')[0]).toBe('姓名,id');
    expect(problemOf(await officer('GET', `${data}?columns=id,no`)).code).toBe('COLUMN_NOT_GRANTED');
    expect(problemOf(await officer('GET', `${data}?columns=id,id`)).code).toBe('REQUEST_INVALID');
    expect(problemOf(await officer('GET', `${data}?columns=id&columns=id`)).code).toBe('REQUEST_INVALID');
    expect(problemOf(await officer('GET', `${data}?colums=id`))).toMatchObject({
      code: 'REQUEST_INVALID',
      pointer: '/colums',
    });
  });
});

describe('conditional requests', () => {
  test('the tag is strong, and another for other columns and formats', async () => {
    const tags = [];
    for (const url of [data, `${data}?columns=id`, `${data}?format=csv`, `${data}?format=csv-bom`]) {
      tags.push((await officer('GET', url)).headers.etag as string);
    }
    expect(new Set(tags).size).toBe(4);
    for (const tag of tags) expect(tag).toMatch(/^"[0-9a-f]{64}"$/);
    expect((await officer('GET', '/datasets/health.vaccinations/versions/1/data')).headers.etag).toBe(tags[0]);
  });

  test('what the caller has is not sent again, and leaves no leaf', async () => {
    const { etag } = (await officer('GET', data)).headers;
    const before = await reads();
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await officer('GET', data, { headers: { 'if-none-match': value as string } });
      expect(response.statusCode).toBe(304);
      expect(response.rawPayload).toHaveLength(0);
    }
    expect(await reads()).toBe(before);
    const other = await officer('GET', data, { headers: { 'if-none-match': '"other"' } });
    expect(other.statusCode).toBe(200);
  });

  test('HEAD tells length, tag and type, and leaves no leaf', async () => {
    const whole = await officer('GET', data);
    const before = await reads();
    const head = await officer('HEAD', data);
    expect(head.statusCode).toBe(200);
    expect(head.rawPayload).toHaveLength(0);
    for (const name of ['content-length', 'etag', 'content-type', 'accept-ranges', 'x-huitong-version']) {
      expect(head.headers[name]).toBe(whole.headers[name]);
    }
    expect(Number(head.headers['content-length'])).toBe(whole.rawPayload.length);
    expect(await reads()).toBe(before);
  });
});

describe('ranges', () => {
  test('one range, a suffix, and an open end', async () => {
    const whole = (await officer('GET', data)).rawPayload;
    const last = whole.length - 1;
    for (const [range, expected, contentRange] of [
      ['bytes=0-9', whole.subarray(0, 10), `bytes 0-9/${whole.length}`],
      ['bytes=-16', whole.subarray(-16), `bytes ${last - 15}-${last}/${whole.length}`],
      ['bytes=100-', whole.subarray(100), `bytes 100-${last}/${whole.length}`],
      [`bytes=8-${whole.length * 2}`, whole.subarray(8), `bytes 8-${last}/${whole.length}`],
    ] as const) {
      const response = await officer('GET', data, { headers: { range } });
      expect(response.statusCode).toBe(206);
      expect(response.headers['content-range']).toBe(contentRange);
      expect(response.rawPayload.equals(expected)).toBe(true);
    }
  });

  test('ranges together are the whole, wherever it is cut', async () => {
    const whole = (await officer('GET', data)).rawPayload;
    for (const step of [97, 256, whole.length - 1]) {
      const pieces = [];
      for (let at = 0; at < whole.length; at += step) {
        const range = `bytes=${at}-${at + step - 1}`;
        pieces.push((await officer('GET', data, { headers: { range } })).rawPayload);
      }
      expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    }
  });

  test('one beyond the end is refused; several, or nonsense, give the whole', async () => {
    const whole = (await officer('GET', data)).rawPayload;
    for (const range of [`bytes=${whole.length}-`, 'bytes=-0']) {
      const response = await officer('GET', data, { headers: { range } });
      expect(problemOf(response).code).toBe('RANGE_NOT_SATISFIABLE');
      expect(response.headers['content-range']).toBe(`bytes */${whole.length}`);
    }
    for (const range of ['bytes=0-1,4-5', 'bytes=9-3', 'rows=0-1', 'bytes=-']) {
      const response = await officer('GET', data, { headers: { range } });
      expect([response.statusCode, response.rawPayload.length]).toEqual([200, whole.length]);
    }
    const csv = await officer('GET', data, { headers: { accept: 'text/csv', range: 'bytes=0-1' } });
    expect([csv.statusCode, csv.headers['accept-ranges']]).toEqual([200, 'none']);
  });

  test('If-Range: a range of what the caller has, else the whole', async () => {
    const { etag } = (await officer('GET', data)).headers;
    const asked = async (condition: string) =>
      (await officer('GET', data, { headers: { range: 'bytes=0-1', 'if-range': condition } })).statusCode;
    expect(await asked(etag as string)).toBe(206);
    expect(await asked('"other"')).toBe(200);
    expect(await asked(`W/${etag}`)).toBe(200);
  });
});

describe('the audit log', () => {
  test('a read names its leaf, and an auditor gets its receipt', async () => {
    const response = await officer('GET', data);
    const auditor = await server.as('health', 'auditor');
    const index = response.headers['x-huitong-audit-index'];
    const receipt = (await auditor('GET', `/audit/proofs/${index}`)).json();
    expect(JSON.parse(receipt.leaf)).toMatchObject({
      action: 'dataset.read.opened',
      session: response.headers['x-huitong-session'],
      onBehalfOf: 'traffic',
    });
    expect(JSON.stringify(receipt)).not.toContain('李四');
  });

  test('what cannot be recorded is not answered: 503 and no byte of data', async () => {
    server.setAuditAvailable(false);
    try {
      for (const url of [data, '/datasets/health.vaccinations/versions/1/manifest']) {
        const response = await officer('GET', url);
        expect(problemOf(response)).toMatchObject({ code: 'AUDIT_UNAVAILABLE', status: 503 });
        expect(response.headers['retry-after']).toBe('5');
        expect(response.body).not.toContain('王');
      }
      // Not even that a dataset is absent may be told then.
      expect(problemOf(await officer('GET', '/datasets/health.none/data')).code).toBe('AUDIT_UNAVAILABLE');
    } finally {
      server.setAuditAvailable(true);
    }
    expect((await officer('GET', data)).statusCode).toBe(200);
  });

  test('a client that goes away leaves its closed leaf, with what it was sent', async () => {
    const names = Array.from({ length: 150_000 }, (_, i): [bigint, string] => [
      BigInt(i),
      randomBytes(96).toString('base64'),
    ]);
    await server.bench.publish([[batchOf(names)]]);
    const url = `${await server.listen()}/v1${data}`;
    const authorization = `Bearer ${await server.token('traffic', 'officer')}`;
    const request = get(url, { headers: { authorization } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const session = response.headers['x-huitong-session'];
    const total = Number(response.headers['content-length']);
    await once(response, 'readable');
    request.destroy();
    const closed = await until('the closed leaf', async () =>
      (await server.bench.leaves()).find((leaf) => leaf.session === session && leaf.action === 'dataset.read.closed'),
    );
    expect(closed.outcome).toBe('client-gone');
    expect(closed.bytes).toBeLessThan(total);
    expect(closed.rows).toBeUndefined();
  });
});

describe('manifest and parts', () => {
  const version = '/datasets/health.vaccinations/versions/1';
  test('are served as stored to whom all columns are granted', async () => {
    const manifest = await officer('GET', `${version}/manifest`);
    expect(manifest.json()).toMatchObject({ format: 'huitong.manifest/1', rows: 4 });
    for (const digest of digests) {
      const part = await officer('GET', `${version}/parts/${digest}`);
      expect(part.headers['content-length']).toBe(String(part.rawPayload.length));
      expect(part.rawPayload.subarray(0, 6).toString()).toBe('ARROW1');
    }
    expect(problemOf(await officer('GET', `${version}/parts/${'0'.repeat(64)}`)).code).toBe('NOT_FOUND');
    expect(problemOf(await officer('GET', `${version}/parts/..%2f`)).code).toBe('REQUEST_INVALID');
  });

  test('what is not shared looks absent to others, and is there for its owner', async () => {
    const { catalog } = server.bench.world;
    const sharing = (text: string) =>
      catalog('dataset').update({ definition: catalog.raw(`jsonb_set(definition, '{sharing}', ?::jsonb)`, [text]) });
    await sharing(JSON.stringify({ class: 'not-shared', basis: { zh: '法', en: 'law' } }));
    try {
      const owner = await server.as('health', 'officer');
      for (const path of ['data', 'versions/1/data', 'versions/1/manifest', `versions/1/parts/${digests[0]}`]) {
        const forbidden = problemOf(await officer('GET', `/datasets/health.vaccinations/${path}`));
        expect(forbidden).toEqual(problemOf(await officer('GET', `/datasets/health.absent/${path}`)));
        expect((await owner('GET', `/datasets/health.vaccinations/${path}`)).statusCode).toBe(200);
      }
    } finally {
      await sharing(JSON.stringify({ class: 'unconditional' }));
    }
    expect((await officer('GET', data)).statusCode).toBe(200);
  });
});

/** Reads so far; their closed leaves come a little later. */
async function reads(): Promise<number> {
  return (await server.bench.leaves()).filter(({ action }) => action === 'dataset.read.opened').length;
}
