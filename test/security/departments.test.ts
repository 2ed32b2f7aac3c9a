/**
 * Another department's object looks like an absent one, on every route of the OpenAPI document and for every role: the
 * same status, body, headers and length, and a leaf of the same kind in the log. Generated: a route whose object nobody
 * has described, or whose body is refused before its right is judged, fails.
 */
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { callerOf, problemOf } from '../server/support.ts';
import {
  bodies,
  CANARY,
  openSecurityWorld,
  PURPOSE,
  placeIn,
  placesOf,
  type Route,
  roles,
  routesOf,
  type SecurityWorld,
  urlOf,
} from './world.ts';

let world: SecurityWorld;
let places: ReturnType<typeof placesOf>;
beforeAll(async () => {
  world = await openSecurityWorld();
  places = placesOf(world);
});
afterAll(() => world.close());

/** Metadata, open to every department (GOVERNANCE.md): nothing is hidden there. */
const open = new Set([
  'GET /v1/departments/{code}',
  'GET /v1/datasets/{code}',
  'GET /v1/datasets/{code}/contracts',
  'GET /v1/datasets/{code}/contracts/{version}',
  'GET /v1/datasets/{code}/lineage',
  'GET /v1/datasets/{code}/versions',
  'GET /v1/datasets/{code}/versions/{version}',
  'GET /v1/sources/{code}',
]);
/** No owner limits the role, and still not everybody's: a grant decides, or the token's own id. */
const judgedBesides = (path: string) =>
  /\/(data|diff|changes|manifest)$|\/parts\/|^\/v1\/lookups\//.test(path) || path === '/v1/tokens/{id}/rotate';

/** A file that a source was given is an object within one: nobody has given it any here. */
const there = ({ path }: Route) => (path.endsWith('/uploads/{source}/{digest}') ? [404] : [200, 409]);

/** Roles of the table that reach everybody's objects. */
const reaches = (route: Route, role: Role) =>
  route.roles.some((entry) => entry.role === role && !entry.own) && !judgedBesidesFor(route, role);
const judgedBesidesFor = ({ path }: Route, role: Role) =>
  judgedBesides(path) && !(path.startsWith('/v1/tokens') && role === 'administrator');

/** Headers that tell one answer from another, with the request's own id taken out. */
function seenIn(response: LightMyRequestResponse, value: string) {
  const { date: _, ...headers } = response.headers;
  const unnamed = response.body.replace(/"instance":"[^"]*"/, '');
  const body = unnamed.replaceAll(`"${value}"`, '"<object>"');
  return { status: response.statusCode, headers, body, bytes: response.rawPayload.length };
}

async function ask(token: string | undefined, route: Route, value: string, headers: Record<string, string> = {}) {
  const caller = callerOf(world.app, token);
  const body = route.method === 'POST' ? bodies[route.path] : undefined;
  const stream = /^\/v1\/staging\/|\/uploads$/.test(route.path) && route.method === 'POST';
  const sent: Record<string, string> =
    stream && !route.path.endsWith('generations') ? { 'content-type': 'application/octet-stream' } : {};
  const { result, leaves } = await world.logged(() =>
    caller(route.method, urlOf(route, value, world.owned), { body, headers: { ...sent, ...headers } }),
  );
  const kinds = leaves.map(({ action, decision, rule }) => ({ action, decision, rule }));
  return { response: result, seen: { ...seenIn(result, value), kinds } };
}

async function expectSame(token: string | undefined, route: Route, headers?: Record<string, string>) {
  const [present, absent] = placeIn(route.path, places)!;
  const theirs = await ask(token, route, present, headers);
  const none = await ask(token, route, absent, headers);
  expect(theirs.seen).toEqual(none.seen);
  expect(theirs.response.body).not.toContain(CANARY);
  return theirs.response;
}

describe('a route with an object in its path', () => {
  test('shows another department what it shows of nothing, whatever the role', async () => {
    const objects = routesOf(world).filter(({ path }) => placeIn(path, places) !== undefined);
    expect(objects.length).toBeGreaterThan(40);
    const answers = new Map<string, number>();
    for (const route of objects) {
      const name = `${route.method} ${route.path}`;
      if (open.has(name)) continue;
      for (const role of roles.filter((candidate) => !reaches(route, candidate))) {
        const response = await expectSame(await world.token('traffic', role), route);
        // A refusal for any other reason would be one that has not looked at the right.
        expect([401, 403, 404], `${name} as ${role}: ${response.body}`).toContain(response.statusCode);
        answers.set(name, Math.max(answers.get(name) ?? 0, response.statusCode));
      }
      expect((await expectSame(undefined, route)).statusCode).toBe(401);
    }
    // Where the owner's own role would be let in, the stranger's came as far as the object.
    const limited = objects.filter((route) => route.roles.some(({ own }) => own) || judgedBesides(route.path));
    expect(limited.length).toBeGreaterThan(30);
    for (const { method, path } of limited) expect([path, answers.get(`${method} ${path}`)]).toEqual([path, 404]);
  });

  test('shows what is open, and what a role reaches everywhere, to another department too', async () => {
    for (const route of routesOf(world)) {
      const place = placeIn(route.path, places);
      if (place === undefined || route.method !== 'GET') continue;
      for (const role of roles.filter((candidate) => reaches(route, candidate))) {
        const { response } = await ask(await world.token('traffic', role), route, place[0]);
        expect(there(route), `${route.path} as ${role}: ${response.body}`).toContain(response.statusCode);
      }
    }
  });

  test('shows it to its owner', async () => {
    for (const route of routesOf(world)) {
      const place = placeIn(route.path, places);
      const own = route.roles.find((entry) => entry.own)?.role;
      if (place === undefined || own === undefined || !['GET', 'HEAD'].includes(route.method)) continue;
      const claims = route.path.startsWith('/v1/corrections') || route.path.startsWith('/v1/requests');
      const holder = claims && own === 'officer' ? 'education' : 'health';
      const { response } = await ask(await world.token(holder, own), route, place[0]);
      expect(there(route), `${route.path} as ${own}: ${response.body}`).toContain(response.statusCode);
    }
    const officer = await world.as('health', 'officer');
    for (const path of ['data', 'diff?from=1', 'versions/2/manifest', `versions/2/parts/${world.owned.digest}`]) {
      expect((await officer('GET', `/datasets/${DATASET}/${path}`)).statusCode, path).toBe(200);
    }
    const granted = await world.as('education', 'officer');
    const found = await granted('POST', `/lookups/${DATASET}`, { body: bodies['/v1/lookups/{dataset}'] });
    expect(found.json().results).toEqual([{ found: true, record: { id: 1, 姓名: CANARY } }]);
  });

  test('takes the token of an open generation for its own run only', async () => {
    const { runId } = await world.bench.world.begin();
    const worker = await world.as('health', 'worker');
    const opened = (await worker('POST', `/staging/${runId}/generations?attempt=9`)).json();
    const headers = { 'x-huitong-generation': String(opened.generation) };
    const session = routesOf(world).filter(({ path }) => path.startsWith('/v1/staging/{run}/objects'));
    expect(session).toHaveLength(2);
    for (const route of session) {
      expect(problemOf(await expectSame(opened.token, route, headers)).code).toBe('UNAUTHENTICATED');
      const { response } = await ask(opened.token, route, runId, headers);
      expect([201, 404]).toContain(response.statusCode);
    }
  });
});

describe('a route without one', () => {
  test('lists nothing of another department’s', async () => {
    const { owned } = world;
    const hidden = [owned.run, owned.grant, owned.request, owned.case, owned.token, owned.person.id, CANARY];
    let shown = 0;
    for (const route of routesOf(world)) {
      if (route.path.includes('{') || route.method !== 'GET') continue;
      const url = urlOf(route, '', owned);
      for (const role of roles) {
        const { body } = await (await world.as('traffic', role))('GET', url);
        const found = hidden.filter((text) => body.includes(text));
        if (route.roles.some((entry) => entry.role === role && !entry.own)) shown += found.length;
        else expect([url, role, found]).toEqual([url, role, []]);
      }
    }
    expect(shown).toBeGreaterThan(4);
  });

  test.each<[path: string, role: Role, of: (dataset: string) => object]>([
    ['/grants', 'officer', (dataset) => ({ dataset })],
    [
      '/corrections',
      'officer',
      (dataset) => ({ dataset, version: 1, key: { id: '1' }, item: 'id', claim: '2', reason: 'x' }),
    ],
  ])('and POST %s about a dataset says the same of theirs and of none', async (path, role, of) => {
    const stranger = await world.as('traffic', role);
    const absent = 'health.vaccinationz';
    const theirs = await stranger('POST', path, { body: of(DATASET) });
    const none = await stranger('POST', path, { body: of(absent) });
    expect(problemOf(theirs).code).toBe('NOT_FOUND');
    expect(seenIn(theirs, DATASET)).toEqual(seenIn(none, absent));
  });

  test('a grant of another department’s is no grant, on every way to data', async () => {
    const stranger = await world.as('traffic', 'officer');
    for (const grant of [world.owned.grant, '00000000-0000-4000-8000-000000000000', "' or true --"]) {
      const query = `grant=${encodeURIComponent(grant)}`;
      const asked = { purpose: PURPOSE, matter: 'M', grant };
      const answers = [
        await stranger('GET', `/datasets/${DATASET}/data?${query}`),
        await stranger('GET', `/datasets/${DATASET}/diff?from=1&${query}`),
        await stranger('POST', `/lookups/${DATASET}`, { body: { keys: { id: 1 }, ...asked } }),
      ];
      expect(answers.map((answer) => problemOf(answer).code)).toEqual(Array(3).fill('NOT_FOUND'));
    }
  });
});
