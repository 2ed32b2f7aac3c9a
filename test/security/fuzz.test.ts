/**
 * Every route of the OpenAPI document with random parameters and bodies: made after the route's own schema, and then
 * spoilt. Whatever is sent, the answer is one of ours within seconds, never INTERNAL. The seed is printed on failure.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { callerOf } from '../server/support.ts';
import { openSecurityWorld, placeIn, placesOf, type Route, routesOf, type SecurityWorld } from './world.ts';

/** A document of JSON Schema, as far as our routes use it. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  format?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
}

interface Operation {
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

const RUNS = 6;
const ANSWER_MS = 60_000;
/** What there is would wait for a worker, of which there is none here: these are asked about what there is not. */
const waits = /\/sources\/\{code\}\/\w+$|\/datasets\/\{code\}\/(preview|runs|schedule)|\/actions$|\/cancel$/;

let world: SecurityWorld;
let document: { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };
beforeAll(async () => {
  world = await openSecurityWorld();
  document = world.app.swagger() as never;
});
afterAll(() => world.close());

/** Texts that somebody has stumbled over. */
const awkward = fc.constantFrom(
  ...['', '\0', 'a\0b', '%00', '../../etc/passwd', "'; drop table version; --", '" or 1=1', '$1', '{{7*7}}', '\u202e'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '\ud800',
    '１２',
    '-1',
    '1e999',
    'NaN',
    'null',
    '?',
    '%',
    '\\',
    '*',
    ':x',
  ],
  ...['W10', 'WyJhIl0', 'WzFd', 'WyIiLCIiXQ', 'eyJfX3Byb3RvX18iOjF9', 'x'.repeat(300), '9'.repeat(30), '2026-13-45'],
);
const number = fc.constantFrom(0, -1, 1, 1.5, 2 ** 31, 2 ** 53, 1e308, -0);
const anything = fc.oneof(awkward, number, fc.constantFrom(null, true, [], {}, [[]]), fc.jsonValue({ maxDepth: 3 }));

function arbitraryOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const name = decodeURIComponent(schema.$ref.split('/').at(-1) ?? '');
    return depth > 6 ? anything : arbitraryOf(document.components.schemas[name] ?? {}, depth + 1);
  }
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice !== undefined) return fc.oneof(...choice.map((one) => arbitraryOf(one, depth + 1)));
  const types = [schema.type ?? []].flat();
  return types.length === 0 ? anything : fc.oneof(...types.map((type) => arbitraryOfType(type, schema, depth)));
}

function arbitraryOfType(type: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { minimum = 0, maximum = 2 ** 40 } = schema;
  if (type === 'string') return textOf(schema);
  if (type === 'integer')
    return fc.oneof(fc.integer({ min: minimum, max: Math.min(maximum, 2 ** 31 - 1) }), fc.constant(maximum));
  if (type === 'number') return fc.oneof(fc.double({ noNaN: true }), number);
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'array') {
    return fc.array(arbitraryOf(schema.items ?? {}, depth + 1), { minLength: schema.minItems ?? 0, maxLength: 3 });
  }
  const { properties, required = [], additionalProperties } = schema;
  if (properties === undefined) {
    const values = typeof additionalProperties === 'object' ? arbitraryOf(additionalProperties, depth + 1) : anything;
    return fc.dictionary(fc.oneof(awkward, fc.string()), values, { maxKeys: 3 });
  }
  const members = Object.entries(properties).map(([name, one]) => [name, arbitraryOf(one, depth + 1)] as const);
  return fc.record(Object.fromEntries(members), {
    requiredKeys: required.filter((name) => name in properties) as never[],
  });
}

function textOf({ format }: Schema): fc.Arbitrary<string> {
  const known = fc.constantFrom(world.owned.dataset, world.owned.grant, world.owned.request, 'id', '姓名', 'health');
  const formatted: Record<string, fc.Arbitrary<string>> = {
    uuid: fc.constantFrom(randomUUID(), world.owned.run, world.owned.case, world.owned.request),
    date: fc.constantFrom('2026-02-28', '0001-01-01', '9999-12-31'),
    'date-time': fc.constantFrom('2026-02-28T00:00:00Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:60Z'),
  };
  return fc.oneof(formatted[format ?? ''] ?? known, awkward, fc.string({ unit: 'binary', maxLength: 20 }));
}

/** Mostly as the schema has it, sometimes anything at all. */
const spoilt = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: anything });

/** An object may have a member `toString` that is no function: of objects the JSON is sent. */
const encode = (value: unknown) => {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
};

function requestOf(route: Route): fc.Arbitrary<{ url: string; body: unknown; headers: Record<string, string> }> {
  const { parameters = [], requestBody } = document.paths[route.path]![route.method.toLowerCase()]!;
  const [present = ''] = placeIn(route.path, placesOf(world)) ?? [];
  const first = /\{(\w+)\}/.exec(route.path)?.[1];
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const paths = inPath.map(({ name, schema }) => {
    if (waits.test(route.path)) return fc.oneof(awkward, fc.constant(randomUUID()));
    const random = spoilt(arbitraryOf(schema));
    return name === first ? fc.oneof({ weight: 2, arbitrary: fc.constant(present) }, random) : random;
  });
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const query = fc.record(Object.fromEntries(inQuery.map(({ name, schema }) => [name, spoilt(arbitraryOf(schema))])), {
    requiredKeys: inQuery.filter(({ required }) => required).map(({ name }) => name) as never[],
  });
  const schema = requestBody?.content['application/json']?.schema;
  const body = schema === undefined ? fc.constant(undefined) : spoilt(arbitraryOf(schema));
  return fc
    .record({
      path: fc.tuple(...paths),
      query,
      body,
      type: fc.constantFrom(undefined, undefined, 'text/plain', 'application/octet-stream'),
    })
    .map(({ path, query: asked, body: sent, type }) => {
      const values = new Map(inPath.map(({ name }, i) => [name, path[i]]));
      const address = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encode(values.get(name)) || 'x');
      const search = Object.entries(asked).map(([name, value]) => `${name}=${encode(value)}`);
      const json: Record<string, string> = sent === undefined ? {} : { 'content-type': 'application/json' };
      const headers: Record<string, string> =
        type !== undefined && sent === undefined && route.method === 'POST' ? { 'content-type': type } : json;
      return { url: search.length === 0 ? address : `${address}?${search.join('&')}`, body: sent, headers };
    });
}

test('whatever is sent, the answer is one of ours, in time, and never INTERNAL', async () => {
  const seen = new Map<number, number>();
  for (const route of routesOf(world)) {
    const held = route.roles.map(({ role }) => role);
    const caller = callerOf(world.app, await world.token('health', ...fewest(held)));
    await fc.assert(
      fc.asyncProperty(requestOf(route), async ({ url, body, headers }) => {
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const answer = await within(caller(route.method, url, { body: payload, headers }));
        seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1);
        const told = `${route.method} ${url} ${payload ?? ''}: ${answer.body.slice(0, 300)}`;
        if (answer.statusCode >= 500) expect(answer.json().code, told).not.toBe('INTERNAL');
        if (answer.statusCode >= 400 && answer.body !== '') {
          expect(answer.json(), told).toMatchObject({
            code: expect.stringMatching(/^[A-Z_]+$/),
            hint: expect.any(String),
          });
        }
      }),
      { numRuns: RUNS },
    );
  }
  // It came past the schemas, and was stopped by them.
  for (const status of [200, 400, 404]) expect(seen.get(status), String(status)).toBeGreaterThan(10);
});

/** All of them but what nobody may hold together with another. */
function fewest(held: Role[]): Role[] {
  const separate: Role[] = ['administrator', 'auditor', 'operator'];
  const [one] = held.filter((role) => separate.includes(role));
  const rest = held.filter((role) => !separate.includes(role));
  return rest.length > 0 || one === undefined ? (rest.length > 0 ? rest : ['officer']) : [one];
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
