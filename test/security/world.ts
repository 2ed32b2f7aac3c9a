/** An exchange in which department `health` has one of everything, and `education` was given some of it. */
import { randomUUID } from 'node:crypto';
import { createGrant } from '../../exchange/access/explicit-grants.ts';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import { createPerson } from '../../exchange/people/people.ts';
import tokenSchema from '../../schemas/api/token.json' with { type: 'json' };
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import type { AppDependencies } from '../../server/dependencies.ts';
import { furnish, submitted } from '../exchange/access/requests/support.ts';
import { batchOf } from '../exchange/access/support.ts';
import { fileOne, proposeOne } from '../exchange/duties/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { openServer, type TestServer } from '../server/support.ts';

export const roles = tokenSchema.properties.roles.items.enum as Role[];
export const conditional = { class: 'conditional', basis: { zh: '依据', en: 'basis' } } as const;
/** A cell, at most three characters: what is found of it in an answer was given away. */
export const CANARY = '㊙㊙㊙';
export const PURPOSE = 'school-entry-check';

export interface Owned {
  dataset: string;
  source: string;
  run: string;
  digest: string;
  grant: string;
  request: string;
  case: string;
  /** A case that proposes a change of the dataset's entry. */
  entry: string;
  person: { id: string; login: string };
  token: string;
  /** The index of a leaf of health's own. */
  receipt: string;
}

export interface SecurityWorld extends TestServer {
  owned: Owned;
  /** What this does to the log, besides its result. */
  logged<T>(act: () => Promise<T>): Promise<{ result: T; leaves: AuditLeaf[] }>;
}

export async function openSecurityWorld(more: Partial<AppDependencies> = {}): Promise<SecurityWorld> {
  const verifications = {
    named: { title: { zh: '有姓名', en: 'Has a name' }, where: { not: { isNull: { column: '姓名' } } } },
  };
  const server = await openServer({ sharing: conditional, verifications }, more);
  const { world, audit } = server.bench;
  await furnish(world.catalog);
  const named = "jsonb_build_object('code', code, 'name', jsonb_build_object('zh', name_zh, 'en', name_en))";
  await world.catalog('department').update({ definition: world.catalog.raw(named) });
  await server.bench.publish([[batchOf([[1n, CANARY]])]]);
  const { runId, digests } = await server.bench.publish([
    [
      batchOf([
        [1n, CANARY],
        [2n, CANARY],
      ]),
    ],
  ]);
  const grant = await grantTo(server, 'education', {
    modes: ['bulk', 'lookup', 'verify'],
    verifications: ['named'],
  });
  const { person } = await createPerson(
    world.catalog,
    { actor: 'token:test' },
    { department: 'health', login: 'li.si', name: '李四', roles: ['officer'], withPassword: false },
  );
  const minted = await mintToken(world.catalog, { department: 'health', subject: 'system', roles: ['officer'] });
  const leaf = { actor: 'token:x', onBehalfOf: 'health', object: `dataset/${DATASET}/version/1` };
  const { index } = await audit.append({ ...leaf, action: 'dataset.read.opened', decision: 'allow' });
  const owned = {
    dataset: DATASET,
    source: 'health-db',
    run: runId,
    digest: digests[0]!,
    grant,
    request: (await submitted(world)).id,
    case: await fileOne(server.bench),
    entry: await proposeOne(server.bench),
    person,
    token: minted.token.id,
    receipt: String(index),
  };
  await audit.drainOutbox();
  return {
    ...server,
    owned,
    async logged(act) {
      const { size } = await audit.reader.head();
      const result = await act();
      const { size: now } = await audit.reader.head();
      const entries = await audit.reader.entries(size, now);
      return { result, leaves: entries.map((entry) => JSON.parse(entry.leaf) as AuditLeaf) };
    },
  };
}

/** A grant of both columns, changed by `changes`; gives its id. */
export async function grantTo(
  { bench }: Pick<TestServer, 'bench'>,
  grantee: string,
  changes: Partial<GrantTerms> = {},
): Promise<string> {
  const { id } = await createGrant(bench.world, {
    actor: { actor: 'token:officer' },
    terms: {
      ...{ grantee, dataset: DATASET, items: ['id', '姓名'], modes: ['bulk'], purpose: PURPOSE, legalBasis: '依法' },
      ...{ notBefore: '2026-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z', ...changes },
    },
  });
  return id;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

export interface Route {
  method: Method;
  path: string;
  /** As the document says it: with and without the owner's limit; empty where no role is named. */
  roles: { role: Role; own: boolean }[];
}

/** Every route of the OpenAPI document. */
export function routesOf({ app }: Pick<TestServer, 'app'>): Route[] {
  return Object.entries(app.swagger().paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item ?? {}).map(([method, operation]) => ({
      method: method.toUpperCase() as Method,
      path,
      roles: rolesIn((operation as { description?: string }).description ?? ''),
    })),
  );
}

function rolesIn(description: string): Route['roles'] {
  const listed = /Roles: (.*)\.$/.exec(description)?.[1]?.split(', ') ?? [];
  return listed.map((text) => {
    const [role, of] = text.split(' (');
    return { role: role as Role, own: of !== undefined };
  });
}

/** Where a path's first parameter stands: what is there, and what is not. Of one length, so that sizes can be compared. */
export function placesOf({ owned }: Pick<SecurityWorld, 'owned'>): Record<string, [present: string, absent: string]> {
  const uuid = randomUUID();
  return {
    '/v1/datasets/{code}': [owned.dataset, 'health.vaccinationz'],
    '/v1/lookups/{dataset}': [owned.dataset, 'health.vaccinationz'],
    '/v1/sources/{code}': [owned.source, 'health-dx'],
    '/v1/staging/answers/{source}': [owned.source, 'health-dx'],
    '/v1/staging/uploads/{source}': [owned.source, 'health-dx'],
    '/v1/runs/{run}': [owned.run, uuid],
    '/v1/staging/{run}': [owned.run, uuid],
    '/v1/grants/{id}': [owned.grant, uuid],
    '/v1/requests/{id}': [owned.request, uuid],
    '/v1/cases/{id}': [owned.case, uuid],
    '/v1/entries/{id}': [owned.entry, uuid],
    '/v1/corrections/{id}': [owned.case, uuid],
    '/v1/tokens/{id}': [owned.token, uuid],
    '/v1/people/{login}': [owned.person.login, 'li.sj'],
    '/v1/people/{id}': [owned.person.id, uuid],
    '/v1/receipts/{index}': [owned.receipt, '9'.repeat(owned.receipt.length)],
    '/v1/audit/proofs/{index}': [owned.receipt, '9'.repeat(owned.receipt.length)],
    '/v1/departments/{code}': ['health', 'nobody'],
  };
}

/** The object that a path names, or undefined where it names none. Throws for one that nobody has described here. */
export function placeIn(path: string, places: ReturnType<typeof placesOf>): [string, string] | undefined {
  const prefix = /^[^{]*\{\w+\}/.exec(path)?.[0];
  if (prefix === undefined) return undefined;
  const place = places[prefix];
  if (place === undefined) throw new Error(`${path} has no recipe: say in placesOf what object it is about`);
  return place;
}

/** The first parameter is `value`, the others lie within it; queries that a route cannot do without are there. */
export function urlOf({ method, path }: Pick<Route, 'method' | 'path'>, value: string, { digest }: Owned): string {
  const inner: Record<string, string> = {
    version: path.includes('/contracts/') ? '1.0.0' : '1',
    digest,
    id: randomUUID(),
  };
  const url = path.replace(/\{\w+\}/, value).replace(/\{(\w+)\}/g, (_, name: string) => inner[name] ?? name);
  return url + (queries[`${method} ${path}`] ?? '');
}

const queries: Record<string, string> = {
  'GET /v1/datasets/{code}/diff': '?from=1&to=2',
  'GET /v1/datasets/{code}/changes': '?since=1',
  'POST /v1/staging/{run}/objects': '?kind=part',
  'POST /v1/sources/{code}/uploads': '?name=a.csv',
  'GET /v1/audit/consistency': '?older=1&newer=2',
};

const table = { name: 'vaccination' };
const contract = { version: '1.0.0', key: ['id'], type: 'object', properties: { id: { type: 'integer' } } };
/** Bodies that pass the schema where one is needed, so that it is the right that decides. */
export const bodies: Record<string, object> = {
  '/v1/lookups/{dataset}': { keys: { id: 1 }, purpose: PURPOSE, matter: 'M' },
  '/v1/lookups/{dataset}/verify': { key: { id: 1 }, verification: 'named', purpose: PURPOSE, matter: 'M' },
  '/v1/sources/{code}/infer': { table },
  '/v1/sources/{code}/preview': { table, contract },
  '/v1/datasets/{code}/versions/{version}/recall': { reason: '字段取错' },
  '/v1/datasets/{code}/versions/{version}/hold': { until: '2099-01-01T00:00:00Z', reason: '诉讼' },
  '/v1/datasets/{code}/revoke': { reason: '停止提供' },
  '/v1/requests/{id}/actions': { action: 'withdraw' },
  '/v1/requests/{id}/preview': {},
  '/v1/cases/{id}/actions': { action: 'withdraw' },
  '/v1/people/{id}/change': { name: '王五' },
  '/v1/tokens/{id}/rotate': {},
};
