import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGrant, revokeGrant } from '../../exchange/access/explicit-grants.ts';
import { mintToken, revokeToken } from '../../exchange/access/tokens.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { batchOf } from '../exchange/access/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

const url = `/lookups/${DATASET}`;
const ID = '440306199001011234';
const actor = { actor: 'token:officer' };
let server: TestServer;
let traffic: Caller;
beforeAll(async () => {
  server = await openServer({
    sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } },
    verifications: {
      'is-named': { title: { zh: '有姓名', en: 'Has a name' }, where: { not: { isNull: { column: '姓名' } } } },
    },
  });
  await server.bench.publish([
    [
      batchOf([
        [1n, '张三'],
        [2n, null],
        [BigInt(ID), '李四'],
      ]),
    ],
  ]);
  traffic = await server.as('traffic', 'officer');
});
afterAll(() => server.close());

const make = (changes: Partial<GrantTerms> = {}) =>
  createGrant(server.bench.world, {
    actor,
    terms: {
      grantee: 'traffic',
      dataset: DATASET,
      items: ['id', '姓名'],
      modes: ['lookup', 'verify'],
      verifications: ['is-named'],
      purpose: 'case-check',
      legalBasis: '依法',
      notBefore: '2026-01-01T00:00:00Z',
      expires: '2099-01-01T00:00:00Z',
      ...changes,
    },
  });
const body = (changes: object = {}) => ({ keys: { id: 1 }, purpose: 'case-check', matter: 'M-1', ...changes });

test('one key or many; numbers keep their digits; nothing may be kept by a cache', async () => {
  await make();
  const one = await traffic('POST', url, { body: body() });
  expect(one.statusCode).toBe(200);
  expect(one.headers['cache-control']).toBe('no-store');
  expect(one.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(one.json()).toMatchObject({
    dataset: DATASET,
    version: 1,
    results: [{ found: true, record: { id: 1, 姓名: '张三' } }],
    receipt: { format: 'huitong.receipt/1' },
  });
  const many = await traffic('POST', url, { body: body({ keys: [{ id: ID }, { id: 7 }] }) });
  expect(many.body).toContain(`"results":[{"found":true,"record":{"id":${ID},"姓名":"李四"}},{"found":false}]`);
  const yes = await traffic('POST', `${url}/verify`, { body: { ...verification, key: { id: 1 } } });
  const no = await traffic('POST', `${url}/verify`, { body: { ...verification, key: { id: 2 } } });
  expect([yes.json().result, no.json().result]).toEqual(['yes', 'no']);
  expect(Object.keys(yes.json()).sort()).toEqual(['dataset', 'grant', 'receipt', 'result', 'version']);
  expect(yes.body).not.toContain('张三');
});

const verification = { verification: 'is-named', purpose: 'case-check', matter: 'M-1' };

test('a key appears in no address, no error and no log', async () => {
  await make();
  const bad: [string | object, code: string][] = [
    [`{"keys":{"id":${ID}},"purpose":"case-check","matter":"M"}`, 'ID_MUST_BE_STRING'],
    [body({ keys: { [ID]: 1 } }), 'REQUEST_INVALID'],
    [body({ keys: { id: `${ID}x` } }), 'REQUEST_INVALID'],
    [body({ keys: [{ id: 1 }, ID] }), 'REQUEST_INVALID'],
    [body({ keys: [] }), 'REQUEST_INVALID'],
    [body({ keys: Array.from({ length: 1_001 }, (_, id) => ({ id })) }), 'REQUEST_INVALID'],
    [body({ matter: undefined }), 'REQUEST_INVALID'],
    [body({ matter: ID }), 'REQUEST_INVALID'],
    [body({ purpose: 'other' }), 'PURPOSE_SCOPE'],
  ];
  for (const [sent, code] of bad) {
    const headers = typeof sent === 'string' ? { 'content-type': 'application/json' } : undefined;
    const response = await traffic('POST', url, { body: sent, headers });
    expect(problemOf(response).code, JSON.stringify(sent).slice(0, 80)).toBe(code);
    expect(response.body).not.toContain(ID);
  }
  await traffic('POST', url, { body: body({ keys: { id: ID } }) });
  expect(server.log()).not.toContain(ID);
});

test('absent, filtered out and not granted: what can be compared is equal', async () => {
  const { id } = await make({ rowFilter: { eq: { column: 'id', value: 1 } } });
  const lookUp = async (key: unknown) => {
    const { results, receipt } = (await traffic('POST', url, { body: body({ keys: { id: key }, grant: id }) })).json();
    return { results, members: Object.keys(JSON.parse(receipt.leaf)) };
  };
  expect(await lookUp(2)).toEqual(await lookUp(3));
  const stranger = await server.as('health', 'officer');
  const refusals = [url, '/lookups/health.nothing', `${url}/verify`].map(async (path) =>
    problemOf(
      await stranger('POST', path, { body: path.endsWith('verify') ? { ...verification, key: { id: 1 } } : body() }),
    ),
  );
  const [first, ...others] = await Promise.all(refusals);
  expect(first?.code).toBe('NOT_FOUND');
  for (const other of others) expect(other).toEqual(first);
});

test('a repeated call is another access; a revoked token or grant ends it; without the log there is no answer', async () => {
  const { id } = await make({ quota: { lookupsPerDay: 4 } });
  const call = (caller: Caller) =>
    caller('POST', url, { body: body({ grant: id }), headers: { 'idempotency-key': 'the same' } });
  const [first, second] = [(await call(traffic)).json(), (await call(traffic)).json()];
  expect(second.receipt.index).toBeGreaterThan(first.receipt.index);
  expect(await server.bench.world.catalog('idempotent_request').select()).toEqual([]);

  server.setAuditAvailable(false);
  expect(problemOf(await call(traffic)).code).toBe('AUDIT_UNAVAILABLE');
  server.setAuditAvailable(true);

  const { catalog } = server.bench.world;
  const minted = await mintToken(catalog, { department: 'traffic', subject: 'system', roles: ['officer'] });
  const system = callerOf(server.app, minted.secret);
  expect((await call(system)).statusCode).toBe(200);
  await revokeToken(catalog, minted.token.id);
  expect(problemOf(await call(system)).code).toBe('UNAUTHENTICATED');
  expect(problemOf(await call(traffic)).code).toBe('QUOTA_EXCEEDED');
  await revokeGrant(catalog, { id, actor });
  expect(problemOf(await call(traffic)).code).toBe('GRANT_NOT_USABLE');
});
