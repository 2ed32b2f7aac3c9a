/**
 * Without the audit log there is no answer with data. Which routes those are is found by calling every one of the
 * OpenAPI document as everybody who could get something there, with the log and without it.
 */
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bodies,
  CANARY,
  openSecurityWorld,
  placeIn,
  placesOf,
  type Route,
  roles,
  routesOf,
  type SecurityWorld,
  urlOf,
} from './world.ts';

let world: SecurityWorld;
beforeAll(async () => {
  world = await openSecurityWorld();
});
afterAll(() => world.close());

/** POST that asks and changes nothing; what changes something puts its leaf beside the change, in one transaction. */
const asking = ['/lookups/', '/requests/{id}/preview', '/subjects/access'];
const asks = ({ method, path }: Route) =>
  method === 'GET' || method === 'HEAD' || (method === 'POST' && asking.some((part) => path.includes(part)));

/** Every answer of every route that asks, as each role of the owner and of a grantee. */
async function everyAnswer(): Promise<{ name: string; answer: LightMyRequestResponse }[]> {
  const places = placesOf(world);
  const answers: { name: string; answer: LightMyRequestResponse }[] = [];
  for (const route of routesOf(world).filter(asks)) {
    const [present = ''] = placeIn(route.path, places) ?? [];
    const url = urlOf(route, present, world.owned);
    const body = route.path.endsWith('/subjects/access') ? { id: '1' } : bodies[route.path];
    const headers = route.path.endsWith('/data') ? { accept: 'application/x-ndjson' } : undefined;
    for (const department of ['health', 'education']) {
      const held = roles.filter((candidate) => route.roles.some((entry) => entry.role === candidate));
      // What is open to all roles is one answer for all of them.
      for (const role of held.slice(0, held.length === roles.length ? 1 : undefined)) {
        const caller = await world.as(department, role);
        const answer = await caller(route.method, url, { body: route.method === 'POST' ? body : undefined, headers });
        answers.push({ name: `${route.method} ${route.path}`, answer });
      }
    }
  }
  return answers;
}

const names = (answers: { name: string }[]) => [...new Set(answers.map(({ name }) => name))].sort();
const gives = ({ answer }: { answer: LightMyRequestResponse }) =>
  answer.statusCode < 300 && (answer.body.includes(CANARY) || answer.rawPayload.includes('ARROW1'));

test('what gives data with the log is refused without it, and nothing else gives data', async () => {
  const withLog = await everyAnswer();
  const data = names(withLog.filter(gives));
  expect(data).toContain('GET /v1/datasets/{code}/data');

  world.setAuditAvailable(false);
  const without = await everyAnswer();
  world.setAuditAvailable(true);
  expect(names(without.filter(gives))).toEqual([]);
  const refused = names(without.filter(({ answer }) => answer.statusCode === 503));
  for (const { name, answer } of without.filter(({ answer: { statusCode } }) => statusCode >= 500)) {
    if (answer.body !== '') expect([name, answer.json().code]).toEqual([name, 'AUDIT_UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBe('5');
    for (const header of ['etag', 'x-huitong-session', 'x-huitong-audit-index', 'content-range']) {
      expect(answer.headers).not.toHaveProperty(header);
    }
  }
  expect(refused).toEqual(expect.arrayContaining(data));
  // Besides those: refusals, verdicts, manifests and looks at a person's accesses are in the log before they are told.
  expect(refused).toMatchInlineSnapshot(`
    [
      "GET /v1/corrections/{id}/claim",
      "GET /v1/datasets/{code}/changes",
      "GET /v1/datasets/{code}/data",
      "GET /v1/datasets/{code}/diff",
      "GET /v1/datasets/{code}/versions/{version}/data",
      "GET /v1/datasets/{code}/versions/{version}/manifest",
      "GET /v1/datasets/{code}/versions/{version}/parts/{digest}",
      "GET /v1/requests/{id}/preview",
      "GET /v1/runs/{run}/quarantine",
      "POST /v1/lookups/{dataset}",
      "POST /v1/lookups/{dataset}/verify",
      "POST /v1/requests/{id}/preview",
      "POST /v1/subjects/access",
    ]
  `);
});

test('and once the log is back, the same call is answered', async () => {
  const officer = await world.as('education', 'officer');
  const call = () => officer('POST', '/lookups/health.vaccinations', { body: bodies['/v1/lookups/{dataset}'] });
  world.setAuditAvailable(false);
  expect((await call()).statusCode).toBe(503);
  world.setAuditAvailable(true);
  expect((await call()).json().results).toEqual([{ found: true, record: { id: 1, 姓名: CANARY } }]);
});
