/** What a grant hides is not found out by asking in another way; and a quota holds over two servers that share a catalog. */
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lookups } from '../../exchange/access/lookup/lookups.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { buildApp } from '../../server/app.ts';
import { createSessionTokens } from '../../server/session-tokens.ts';
import { batchOf } from '../exchange/access/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from '../server/support.ts';
import { conditional, grantTo, PURPOSE } from './world.ts';

const data = `/datasets/${DATASET}/data`;
let server: TestServer;
let traffic: Caller;
let health: Caller;
beforeAll(async () => {
  server = await openServer({ sharing: conditional });
  const rows = (hidden: string) =>
    batchOf([
      [1n, '王五'],
      [2n, hidden],
      [3n, hidden],
    ]);
  await server.bench.publish([[rows('赵六')]]);
  await server.bench.publish([[rows('钱七')]]);
  traffic = await server.as('traffic', 'officer');
  health = await server.as('health', 'officer');
});
afterAll(() => server.close());

const grant = (changes: Partial<GrantTerms>) => grantTo(server, 'traffic', changes);
const terms = (rowFilter: unknown, masks = {}) => ({
  ...{ grantee: 'traffic', dataset: DATASET, items: ['id', '姓名'], masks, rowFilter, modes: ['bulk'] },
  ...{ purpose: 'p', legalBasis: '依法', notBefore: '2026-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z' },
});

test.each([
  ['a constant', { mask: 'constant', value: 'x' }],
  ['a part', { mask: 'partial', shape: 'name' }],
  ['a keyed hash', { mask: 'keyed-hash' }],
  ['nothing', { mask: 'drop' }],
])('no grant filters by a column that it shows as %s, however deep in the filter', async (_, mask) => {
  const leaf = { eq: { column: '姓名', value: '王五' } };
  const byOther = { eq: { column: 'id', value: 1 } };
  for (const filter of [
    leaf,
    { not: leaf },
    { and: [byOther, leaf] },
    { or: [{ not: { and: [leaf, byOther] } }, byOther] },
  ]) {
    const refused = await health('POST', '/grants', { body: terms(filter, { 姓名: mask }) });
    expect(problemOf(refused).code).toBe('POLICY_INVALID');
    expect(refused.body).not.toContain('王五');
  }
  expect((await health('POST', '/grants', { body: terms(byOther, { 姓名: mask }) })).statusCode).toBe(201);
});

test('filters are trees, not text: what would be SQL is a value, or no column', async () => {
  for (const text of ["' or '1'='1", "x'; drop table version; --", '/*', '\\', '"', '%', '姓名" = "姓名']) {
    const id = await grant({ rowFilter: { eq: { column: '姓名', value: text } } });
    const read = await traffic('GET', `${data}?grant=${id}&format=csv`);
    expect([read.statusCode, read.body]).toEqual([200, 'id,姓名\r\n']);
    const column = await health('POST', '/grants', { body: terms({ eq: { column: text, value: 1 } }) });
    expect(problemOf(column).code).toBe('POLICY_INVALID');
  }
});

test('a dropped column looks like one that there is not, and every name is only a name', async () => {
  const id = await grant({ masks: { 姓名: { mask: 'drop' } } });
  const ask = (column: string) =>
    traffic('GET', `${data}?grant=${id}&columns=${encodeURIComponent(column)}&format=csv`);
  expect((await ask('id')).body).toBe('id\r\n1\r\n2\r\n3\r\n');
  const unknown = problemOf(await ask('性别'));
  expect(unknown.code).toBe('COLUMN_NOT_GRANTED');
  for (const name of ['姓名', 'id"; drop table version; --', '*', 'constructor', '__proto__', "id' or 1=1", 'ID']) {
    const told = JSON.stringify(problemOf(await ask(name))).replace(
      JSON.stringify(JSON.stringify(name)).slice(1, -1),
      '«»',
    );
    expect(told).toBe(JSON.stringify(unknown).replace('\\"性别\\"', '«»'));
  }
  expect(problemOf(await ask('id,姓名')).code).toBe('COLUMN_NOT_GRANTED');
});

/** All that an answer tells besides its cells. */
function told({ statusCode, headers }: LightMyRequestResponse): Record<string, unknown> {
  const { 'x-huitong-session': _, 'x-huitong-audit-index': __, date: ___, ...rest } = headers;
  return { statusCode, ...rest };
}

test('rows and cells that are hidden show in no length, tag, header or difference', async () => {
  const first = await grant({ rowFilter: { eq: { column: 'id', value: 1 } } });
  for (const format of ['arrow', 'parquet', 'csv', 'json-lines']) {
    const [one, two] = [1, 2].map(
      (version) => `/datasets/${DATASET}/versions/${version}/data?grant=${first}&format=${format}`,
    );
    const [head, before, after] = [await traffic('HEAD', two!), await traffic('GET', one!), await traffic('GET', two!)];
    if (format === 'arrow' || format === 'parquet') {
      expect(Number(head.headers['content-length'])).toBe(after.rawPayload.length);
    }
    const { etag: _, 'x-huitong-version': __, ...shown } = told(before);
    expect(told(after)).toMatchObject(shown);
    expect(after.rawPayload.equals(before.rawPayload)).toBe(true);
  }
  const difference = (grantId: string) => traffic('GET', `/datasets/${DATASET}/diff?from=1&to=2&grant=${grantId}`);
  const unseen = { added: 0, removed: 0, changed: 0, columns: [] };
  const hidden = (await difference(first)).json();
  expect(hidden).toMatchObject({ ...unseen, unchanged: 1 });
  // Parts differ for hidden cells too.
  expect(hidden).not.toHaveProperty('partsRead');
  expect(hidden).not.toHaveProperty('partsShared');
  const constant = await grant({ masks: { 姓名: { mask: 'constant', value: 'x' } } });
  expect((await difference(constant)).json()).toMatchObject({ ...unseen, unchanged: 3 });
  const open = await grant({});
  expect((await difference(open)).json()).toMatchObject({ changed: 2, columns: [{ name: '姓名', changed: 2 }] });
  // Versions are not compared by a key that is hidden.
  const keyless = await grant({ masks: { id: { mask: 'drop' } } });
  expect(problemOf(await difference(keyless)).code).toBe('COLUMN_NOT_GRANTED');
  expect(problemOf(await traffic('GET', `${data}?grant=${first}&sort=姓名`)).code).toBe('REQUEST_INVALID');
});

test('a body with two meanings is refused before anybody reads it; the same said once is taken', async () => {
  const post = (text: string) =>
    traffic('POST', `/lookups/${DATASET}`, { body: text, headers: { 'content-type': 'application/json' } });
  const scope = `"purpose":"${PURPOSE}","matter":"M"`;
  await grant({ modes: ['lookup'] });
  const cases: [text: string, code: string][] = [
    [`{"keys":{"id":1},${scope},"keys":{"id":2}}`, 'JSON_AMBIGUOUS'],
    [`{"keys":{"id":1,"\\u0069d":2},${scope}}`, 'JSON_AMBIGUOUS'],
    [`{"keys":{"id":1},${scope},"__proto__":{"roles":["auditor"]}}`, 'JSON_AMBIGUOUS'],
    [`{"keys":{"id":1,"__proto__":{}},${scope}}`, 'JSON_AMBIGUOUS'],
    [`{"keys":{"id":1},${scope},"constructor":{"prototype":{"roles":1}}}`, 'REQUEST_INVALID'],
    [`{"keys":{"id":"1\\u0000"},${scope}}`, 'ENCODING'],
    [`{"keys":{"id":"\\ud800"},${scope}}`, 'ENCODING'],
    [`{"keys":${'['.repeat(100_000)}${']'.repeat(100_000)},${scope}}`, 'REQUEST_INVALID'],
    [`{"keys":{"id":1e400},${scope}}`, 'ID_MUST_BE_STRING'],
    [`{"keys":{"id":${'9'.repeat(500)}},${scope}}`, 'ID_MUST_BE_STRING'],
    [`{"keys":{"id":1},${scope}`, 'REQUEST_INVALID'],
    ['', 'REQUEST_INVALID'],
  ];
  for (const [text, code] of cases) expect(problemOf(await post(text)).code, text.slice(0, 60)).toBe(code);
  expect((await post(`{"keys":{"id":1},${scope}}`)).json().results[0].found).toBe(true);
  expect({}).not.toHaveProperty('roles');
});

test('searches, filters and cursors are values: nothing of them is a pattern or SQL', async () => {
  const items = async (query: string) => (await traffic('GET', `/datasets?${query}`)).json().items.length;
  for (const text of ['%', '_', "' or 1=1 --", '\\', '%25%27)', '健康%']) {
    expect(await items(`q=${encodeURIComponent(text)}`), text).toBe(0);
    expect(await items(`department=${encodeURIComponent(text)}`), text).toBe(0);
  }
  expect(await items('department=health')).toBe(1);
  const cursor = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
  for (const place of [["' or 1=1"], [{}], ['a', 'b'], 'x', null, [null], ['\0']]) {
    const answer = await traffic('GET', `/grants?cursor=${cursor(place)}`);
    expect(problemOf(answer).code, JSON.stringify(place)).toBe('REQUEST_INVALID');
  }
  expect((await traffic('GET', '/grants?limit=1')).json().items).toHaveLength(1);
});

test('a quota holds over two servers that are asked at once, for look-ups and for reads', async () => {
  const { bench, temporal, token } = server;
  const options = { directory: join(bench.world.directory, 'other'), onFailure: () => {} };
  const lookups = new Lookups(bench.access, options);
  const app = await buildApp({
    ...{
      logger: server.app.log,
      publication: bench.world,
      access: bench.access,
      audit: bench.audit,
      lookups,
      temporal,
    },
    ...{ quarantineKey: bench.quarantineKey, sessions: createSessionTokens(), health: async () => ({}) },
  });
  try {
    const secret = await token('traffic', 'officer');
    const callers = [callerOf(server.app, secret), callerOf(app, secret)];
    const quota = { lookupsPerDay: 7, readsPerDay: 5 };
    const id = await grant({ modes: ['bulk', 'lookup'], quota });
    const atOnce = async (calls: number, call: (caller: Caller) => Promise<LightMyRequestResponse>) => {
      const answers = await Promise.all(Array.from({ length: calls }, (_, i) => call(callers[i % 2]!)));
      for (const { statusCode, body } of answers) {
        if (statusCode !== 200) expect(JSON.parse(body).code).toBe('QUOTA_EXCEEDED');
      }
      return answers.filter(({ statusCode }) => statusCode === 200).length;
    };
    const body = { keys: { id: 1 }, purpose: PURPOSE, matter: 'M', grant: id };
    const lookUp = (caller: Caller) => caller('POST', `/lookups/${DATASET}`, { body });
    expect(await atOnce(24, lookUp)).toBe(7);
    const batch = { ...body, keys: Array.from({ length: 3 }, (_, i) => ({ id: i })) };
    expect(await atOnce(4, (caller) => caller('POST', `/lookups/${DATASET}`, { body: batch }))).toBe(0);
    expect(await atOnce(20, (caller) => caller('GET', `${data}?grant=${id}&format=csv`))).toBe(5);
    expect(await atOnce(4, (caller) => caller('GET', `/datasets/${DATASET}/diff?from=1&to=2&grant=${id}`))).toBe(0);
  } finally {
    await app.close();
    await lookups.close();
  }
});
