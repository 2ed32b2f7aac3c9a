/** Who may call what, found out by calling it: every route of the OpenAPI document, as every role. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken, revokeToken } from '../../exchange/access/tokens.ts';
import tokenSchema from '../../schemas/api/token.json' with { type: 'json' };
import { buildApp } from '../../server/app.ts';
import { createSessionTokens } from '../../server/session-tokens.ts';
import { batchOf } from '../exchange/access/support.ts';
import { callerOf, openServer, problemOf, type TestServer } from './support.ts';

const roles = tokenSchema.properties.roles.items.enum as Role[];
type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

let server: TestServer;
let run: string;
beforeAll(async () => {
  server = await openServer();
  run = (await server.bench.publish([[batchOf([[1n, '王']])]])).runId;
});
afterAll(() => server.close());

function routes(): { method: Method; path: string }[] {
  return Object.entries(server.app.swagger().paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item ?? {}).map((method) => ({ method: method.toUpperCase() as Method, path })),
  );
}

/** Department `traffic` asks for objects of `health`. */
function urlOf(path: string): string {
  const values: Record<string, string> = { run, version: '1', digest: 'a'.repeat(64), index: '0', id: randomUUID() };
  const code = /[/](datasets|lookups)[/]/.test(path)
    ? 'health.vaccinations'
    : path.includes('/sources/')
      ? 'health-db'
      : 'health';
  return path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? code);
}

/** Bodies that pass the schema where one is needed, so that it is the right that decides. */
const bodies: Record<string, object> = {
  '/v1/district/plan': { files: {} },
  '/v1/district/apply': { files: {}, planDigest: '' },
  '/v1/lookups/{dataset}': { keys: { id: 1 }, purpose: 'p', matter: 'm' },
  '/v1/lookups/{dataset}/verify': { key: { id: 1 }, verification: 'v', purpose: 'p', matter: 'm' },
  '/v1/tokens': { department: 'nowhere', subject: 'x', roles: ['officer'] },
};

async function call(token: string | undefined, method: Method, path: string) {
  const body = method === 'POST' ? bodies[path] : undefined;
  return callerOf(server.app, token)(method, urlOf(path), { body });
}

test('each route is open to exactly these roles', async () => {
  const table: Record<string, string> = {};
  for (const { method, path } of routes()) {
    const open: string[] = [];
    for (const role of roles) {
      const response = await call(await server.token('traffic', role), method, path);
      if (response.statusCode !== 401 && response.statusCode !== 403) open.push(role);
      else if (method !== 'HEAD') expect(['FORBIDDEN', 'UNAUTHENTICATED']).toContain(problemOf(response).code);
    }
    const anonymous = await call(undefined, method, path);
    if (anonymous.statusCode !== 401) open.push('anyone');
    table[`${method} ${path}`] = open.join(' ');
  }
  expect(table).toMatchInlineSnapshot(`
    {
      "DELETE /v1/datasets/{code}/versions/{version}/hold": "officer sharing-officer engineer",
      "DELETE /v1/sign-in": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "DELETE /v1/sources/{code}/uploads/{id}": "engineer",
      "DELETE /v1/tokens/{id}": "administrator",
      "GET /v1/audit/consistency": "auditor",
      "GET /v1/audit/entries": "auditor",
      "GET /v1/audit/export": "auditor",
      "GET /v1/audit/head": "auditor",
      "GET /v1/audit/key": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "GET /v1/audit/proofs/{index}": "auditor",
      "GET /v1/cases": "officer sharing-officer engineer auditor supervisor",
      "GET /v1/cases/{id}": "officer sharing-officer engineer auditor supervisor",
      "GET /v1/corrections/{id}/claim": "sharing-officer",
      "GET /v1/datasets": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/changes": "officer engineer",
      "GET /v1/datasets/{code}/contracts": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/contracts/{version}": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/data": "officer engineer",
      "GET /v1/datasets/{code}/diff": "officer engineer",
      "GET /v1/datasets/{code}/impact": "sharing-officer engineer auditor supervisor",
      "GET /v1/datasets/{code}/lineage": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/versions": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/versions/{version}": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/datasets/{code}/versions/{version}/data": "officer engineer",
      "GET /v1/datasets/{code}/versions/{version}/manifest": "officer engineer",
      "GET /v1/datasets/{code}/versions/{version}/parts/{digest}": "officer engineer",
      "GET /v1/departments": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/departments/{code}": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/duties": "officer sharing-officer auditor supervisor",
      "GET /v1/entries/{id}": "sharing-officer engineer auditor supervisor",
      "GET /v1/grants": "officer sharing-officer engineer administrator auditor supervisor",
      "GET /v1/grants/{id}": "officer sharing-officer engineer administrator auditor supervisor",
      "GET /v1/grants/{id}/impact": "officer sharing-officer administrator supervisor",
      "GET /v1/health": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "GET /v1/me": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/metering": "officer sharing-officer engineer auditor",
      "GET /v1/people": "administrator",
      "GET /v1/people/{login}": "administrator",
      "GET /v1/ratings": "officer sharing-officer auditor supervisor",
      "GET /v1/recalls": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/receipts/{index}": "officer sharing-officer engineer auditor",
      "GET /v1/requests": "officer sharing-officer auditor supervisor",
      "GET /v1/requests/{id}": "officer sharing-officer auditor supervisor",
      "GET /v1/requests/{id}/preview": "sharing-officer",
      "GET /v1/runs": "officer engineer administrator auditor operator",
      "GET /v1/runs/{run}": "officer engineer administrator auditor operator",
      "GET /v1/runs/{run}/quarantine": "officer engineer",
      "GET /v1/schedules": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/sign-in": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "GET /v1/sources": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/sources/{code}": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
      "GET /v1/sources/{code}/uploads": "engineer",
      "GET /v1/staging/uploads/{source}": "operator worker",
      "GET /v1/staging/uploads/{source}/{digest}": "operator worker",
      "GET /v1/staging/{run}/objects/{digest}": "",
      "GET /v1/tokens": "administrator",
      "HEAD /v1/datasets/{code}/data": "officer engineer",
      "HEAD /v1/datasets/{code}/versions/{version}/data": "officer engineer",
      "POST /v1/cases/{id}/actions": "officer sharing-officer engineer supervisor",
      "POST /v1/corrections": "officer",
      "POST /v1/datasets/{code}/preview": "officer sharing-officer engineer",
      "POST /v1/datasets/{code}/revoke": "sharing-officer",
      "POST /v1/datasets/{code}/runs": "engineer",
      "POST /v1/datasets/{code}/schedule/pause": "engineer",
      "POST /v1/datasets/{code}/schedule/resume": "engineer",
      "POST /v1/datasets/{code}/versions/{version}/hold": "officer sharing-officer engineer",
      "POST /v1/datasets/{code}/versions/{version}/recall": "sharing-officer",
      "POST /v1/district/apply": "administrator",
      "POST /v1/district/plan": "administrator",
      "POST /v1/entries": "sharing-officer engineer",
      "POST /v1/grants": "officer sharing-officer",
      "POST /v1/grants/{id}/resume": "officer sharing-officer administrator supervisor",
      "POST /v1/grants/{id}/revoke": "officer sharing-officer administrator supervisor",
      "POST /v1/grants/{id}/suspend": "officer sharing-officer administrator supervisor",
      "POST /v1/lookups/{dataset}": "officer engineer",
      "POST /v1/lookups/{dataset}/verify": "officer engineer",
      "POST /v1/people": "administrator",
      "POST /v1/people/{id}/change": "administrator",
      "POST /v1/people/{id}/reset-password": "administrator",
      "POST /v1/ratings": "officer",
      "POST /v1/requests": "officer",
      "POST /v1/requests/recompute": "administrator supervisor",
      "POST /v1/requests/{id}/actions": "officer sharing-officer supervisor",
      "POST /v1/requests/{id}/preview": "sharing-officer",
      "POST /v1/runs/{run}/cancel": "engineer operator",
      "POST /v1/sign-in": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "POST /v1/sign-in/oidc": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "POST /v1/sign-in/oidc/finish": "officer sharing-officer engineer administrator auditor operator worker supervisor portal anyone",
      "POST /v1/sources/{code}/check": "engineer",
      "POST /v1/sources/{code}/discover": "engineer",
      "POST /v1/sources/{code}/infer": "engineer",
      "POST /v1/sources/{code}/preview": "officer sharing-officer engineer",
      "POST /v1/sources/{code}/uploads": "engineer",
      "POST /v1/staging/answers/{source}": "operator worker",
      "POST /v1/staging/{run}/generations": "operator worker",
      "POST /v1/staging/{run}/objects": "",
      "POST /v1/subjects/access": "auditor portal",
      "POST /v1/tokens": "administrator",
      "POST /v1/tokens/{id}/rotate": "officer sharing-officer engineer administrator auditor operator worker supervisor portal",
    }
  `);
});

describe('without a valid token', () => {
  const bad: Record<string, () => Promise<string>> = {
    'a malformed one': async () => 'abc',
    'one with another secret': async () => {
      const token = await server.token('health', 'officer');
      return `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    },
    'an unknown one': async () => `ht_${'A'.repeat(64)}`,
    'an expired one': async () => {
      const { catalog } = server.bench.world;
      const expiresAt = new Date(Date.now() + 60_000).toISOString();
      const made = await mintToken(catalog, { department: 'health', subject: 'x', roles: ['officer'], expiresAt });
      await catalog('access_token')
        .where({ id: made.token.id })
        .update({ expires_at: new Date(Date.now() - 1) });
      return made.secret;
    },
    'a revoked one': async () => {
      const { catalog } = server.bench.world;
      const made = await mintToken(catalog, { department: 'health', subject: 'x', roles: ['officer'] });
      expect((await callerOf(server.app, made.secret)('GET', '/departments')).statusCode).toBe(200);
      await revokeToken(catalog, made.token.id);
      return made.secret;
    },
  };
  test.each(Object.keys(bad))('%s gets the same 401 as any other', async (kind) => {
    const response = await callerOf(server.app, await bad[kind]!())('GET', '/departments');
    expect(problemOf(response).code).toBe('UNAUTHENTICATED');
    expect(response.headers['www-authenticate']).toBe('Bearer');
    const other = await callerOf(server.app, `ht_${'B'.repeat(64)}`)('GET', '/departments');
    expect(problemOf(response)).toEqual(problemOf(other));
  });
});

describe('an object of another department looks like an absent one', () => {
  const cases: [method: Method, role: Role, url: (id: string) => string, own: number][] = [
    ['GET', 'engineer', (id) => `/runs/${id}`, 200],
    ['POST', 'engineer', (id) => `/runs/${id}/cancel`, 409],
    ['GET', 'engineer', (id) => `/runs/${id}/quarantine`, 200],
    ['POST', 'worker', (id) => `/staging/${id}/generations`, 409],
  ];
  test.each(cases)('%s as %s: %s', async (method, role, url, own) => {
    const stranger = await server.as('traffic', role);
    const absent = randomUUID();
    const forbidden = problemOf(await stranger(method, url(run)));
    const missing = problemOf(await stranger(method, url(absent)));
    expect(forbidden.code).toBe('NOT_FOUND');
    expect(JSON.stringify(forbidden)).toBe(JSON.stringify(missing).replaceAll(absent, run));
    expect((await (await server.as('health', role))(method, url(run))).statusCode).toBe(own);
  });

  test('and is in no listing', async () => {
    const list = async (department: string, role: Role, query = '') =>
      (await (await server.as(department, role))('GET', `/runs${query}`)).json().items;
    expect(await list('traffic', 'engineer')).toEqual([]);
    expect(await list('traffic', 'officer', '?department=health')).toEqual([]);
    expect(await list('health', 'officer')).toHaveLength(1);
    expect(await list('traffic', 'auditor')).toHaveLength(1);
    expect(await list('traffic', 'operator', '?department=health')).toHaveLength(1);
    expect(await list('traffic', 'operator', '?department=traffic')).toEqual([]);
  });
});

test('a route without an action cannot be registered', async () => {
  const { app, bench, temporal } = server;
  const fresh = await buildApp({
    logger: app.log,
    publication: bench.world,
    access: bench.access,
    audit: bench.audit,
    lookups: server.lookups,
    temporal,
    quarantineKey: bench.quarantineKey,
    sessions: createSessionTokens(),
    health: async () => ({}),
  });
  expect(() => fresh.get('/v1/open', async () => 'x')).toThrow(/without an action/);
  fresh.get('/v1/closed', { config: { action: 'catalog.read' } }, async () => 'x');
  expect((await fresh.inject('/v1/closed')).statusCode).toBe(401);
  await fresh.close();
});
