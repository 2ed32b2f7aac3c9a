/** Grants over HTTP: made by the provider, read by the grantee in every format, ended at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Grant } from '../../schemas/generated/api.ts';
import { batchOf } from '../exchange/access/support.ts';
import { type Caller, openServer, problemOf, type TestServer } from './support.ts';

const data = '/datasets/health.vaccinations/data';
const terms = {
  grantee: 'traffic',
  dataset: 'health.vaccinations',
  items: ['id', '姓名'],
  masks: { 姓名: { mask: 'partial', shape: 'name' } },
  rowFilter: { gt: { column: 'id', value: 1 } },
  modes: ['bulk'],
  purpose: 'accident-aid',
  legalBasis: '依法',
  addresses: ['127.0.0.0/8'],
  notBefore: '2026-01-01T00:00:00Z',
  expires: '2099-01-01T00:00:00Z',
};

let server: TestServer;
let provider: Caller;
let grantee: Caller;
let stranger: Caller;
beforeAll(async () => {
  server = await openServer({ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } });
  [provider, grantee, stranger] = await Promise.all([
    server.as('health', 'officer'),
    server.as('traffic', 'officer'),
    server.as('water', 'officer'),
  ]);
  const rows = batchOf([
    [1n, '王五'],
    [2n, '欧阳娜'],
    [3n, null],
  ]);
  await server.bench.publish([[rows]]);
});
afterAll(() => server.close());

test('a grant from its making to its end', async () => {
  expect(problemOf(await grantee('GET', data)).code).toBe('NOT_FOUND');
  const made = await provider('POST', '/grants', { body: terms });
  expect(made.statusCode).toBe(201);
  const grant = made.json<Grant>();
  expect(grant).toMatchObject({ provider: 'health', grantee: 'traffic', state: 'active', terms });
  const path = `/grants/${grant.id}`;

  for (const address of [data, `${data}?grant=${grant.id}`]) {
    const csv = await grantee('GET', address, { headers: { accept: 'text/csv' } });
    expect(csv.body).toBe('id,姓名\r\n2,欧**\r\n3,\r\n');
  }
  const head = await grantee('HEAD', data, { headers: { accept: 'application/vnd.apache.parquet' } });
  const parquet = await grantee('GET', data, { headers: { accept: 'application/vnd.apache.parquet' } });
  expect(parquet.headers['content-type']).toBe('application/vnd.apache.parquet');
  expect(parquet.rawPayload.subarray(0, 4).toString()).toBe('PAR1');
  expect(head.headers).toMatchObject({ etag: parquet.headers.etag, 'accept-ranges': 'bytes' });
  expect(Number(head.headers['content-length'])).toBe(parquet.rawPayload.length);
  const tail = await grantee('GET', `${data}?format=parquet`, { headers: { range: 'bytes=-4' } });
  expect([tail.statusCode, tail.body]).toEqual([206, 'PAR1']);

  expect((await grantee('GET', path)).json()).toEqual(grant);
  await server.readsEnded();
  expect((await provider('GET', `${path}/impact`)).json()).toMatchObject({ reads: 4, readingNow: 0, remaining: [] });
  const suspended = await provider('POST', `${path}/suspend`, { body: { reason: '核查' } });
  expect(suspended.json()).toMatchObject({ state: 'suspended', reason: '核查' });
  expect(problemOf(await grantee('GET', data)).code).toBe('GRANT_NOT_USABLE');
  expect((await provider('POST', `${path}/resume`)).json()).toMatchObject({ state: 'active' });
  expect((await grantee('GET', data)).statusCode).toBe(200);
  expect((await provider('POST', `${path}/revoke`, { body: {} })).json()).toMatchObject({ state: 'revoked' });
  expect(problemOf(await grantee('GET', data))).toMatchObject({ code: 'GRANT_NOT_USABLE', status: 403 });
  expect(problemOf(await provider('POST', `${path}/resume`)).code).toBe('GRANT_ENDED');
  const listed = await grantee('GET', '/grants?state=revoked');
  expect(listed.json().items.map(({ id }: Grant) => id)).toEqual([grant.id]);
});

test('only the provider makes and ends a grant; only its parties see it', async () => {
  for (const caller of [grantee, stranger]) {
    expect(problemOf(await caller('POST', '/grants', { body: terms })).code).toBe('NOT_FOUND');
  }
  const { id } = (await provider('POST', '/grants', { body: terms })).json<Grant>();
  for (const step of ['suspend', 'resume', 'revoke']) {
    expect(problemOf(await grantee('POST', `/grants/${id}/${step}`)).code).toBe('NOT_FOUND');
  }
  expect(problemOf(await grantee('GET', `/grants/${id}/impact`)).code).toBe('NOT_FOUND');
  expect(problemOf(await stranger('GET', `/grants/${id}`)).code).toBe('NOT_FOUND');
  expect((await stranger('GET', '/grants')).json().items).toEqual([]);
  expect(problemOf(await stranger('GET', `${data}?grant=${id}`)).code).toBe('NOT_FOUND');
  expect((await provider('POST', `/grants/${id}/revoke`)).statusCode).toBe(200);
});

test('terms that do not fit are refused with the place, without the value', async () => {
  const rowFilter = { eq: { column: 'id', value: '13800138000; drop table version' } };
  const problem = problemOf(await provider('POST', '/grants', { body: { ...terms, rowFilter } }));
  expect(problem).toMatchObject({ code: 'POLICY_INVALID', status: 422 });
  expect(JSON.stringify(problem)).toContain('/rowFilter/eq/value');
  expect(JSON.stringify(problem)).not.toContain('drop table');
  const missing = problemOf(await provider('POST', '/grants', { body: { ...terms, purpose: undefined } }));
  expect(missing.code).toBe('POLICY_INVALID');
});
