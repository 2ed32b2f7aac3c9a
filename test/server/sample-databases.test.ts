/**
 * Databases that nobody here wrote, from discovery to published versions without an edit: every table and view, and
 * every cell equal to the text that PostgreSQL itself prints.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SourceTable } from '../../connectors/connector.ts';
import { createDatabase } from '../support/postgres.ts';
import { type SampleDatabase, sampleDatabases } from '../support/sample-databases.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';
import type { Caller } from './support.ts';

/** What those two have none of; by ours. */
const own: SampleDatabase = {
  name: 'ours',
  statements: [
    `create table city (id int primary key, name text, at point, words tsvector, seen int4range, big int8multirange);
     create table capital (state char(2)) inherits (city);
     insert into city select n, 'city ' || n, point(n, n), to_tsvector('the ' || n || ' cities'), int4range(n, null) from generate_series(1, 40) n;
     insert into capital select 100 + n, 'capital ' || n, null, null, 'empty', '{[1,2),[5,9)}', 'S' || n from generate_series(1, 9) n;
     create table log (id int8, at date, data bytea, primary key (id, at)) partition by range (at);
     create table log_old partition of log for values from (minvalue) to ('2020-01-01');
     create table log_new partition of log for values from ('2020-01-01') to (maxvalue);
     insert into log select n, date '2019-12-01' + n::int, decode(lpad(to_hex(n), 8, '0'), 'hex') from generate_series(1, 90) n;
     create view nodes as select oid, conname, conbin from pg_constraint where contype = 'c';
     create materialized view sizes as select id % 3 as third, count(*) as n, sum(id) as total from city group by 1`,
  ],
};

let samples: SampleDatabase[];
let missing: string | undefined;
let exchange: TestExchange;
let engineer: Caller;
const databases: { url: string; drop(): Promise<void> }[] = [];

beforeAll(async () => {
  const found = await sampleDatabases();
  missing = typeof found === 'string' ? found : undefined;
  samples = [...(typeof found === 'string' ? [] : found), own];
  exchange = await openExchange();
  engineer = await exchange.as('health', 'engineer');
}, 300_000);
afterAll(async () => {
  await exchange.close();
  for (const database of databases) await database.drop();
});

describe.each(['books', 'debezium', 'ours'])('%s', (name) => {
  test('every table and view is published, each cell as PostgreSQL prints it', async ({ skip }) => {
    const sample = samples.find((candidate) => candidate.name === name);
    if (sample === undefined) return skip(missing);
    const client = await load(sample);
    try {
      const tables: SourceTable[] = (await engineer('POST', `/sources/${name}/discover`)).json().tables;
      const { files, refused } = await inferAll(name, tables);
      expect(refused).toEqual(withoutKey[name] ?? []);
      await exchange.apply({ ...base(), ...files });
      const datasets = (await engineer('GET', '/datasets?limit=1000')).json().items.map(({ code }: Coded) => code);
      const compared = await inTurns(datasets, (code: string) => publishAndCompare(client, code));
      expect(compared.length).toBe(tables.length - refused.length);
      const cells = compared.reduce((sum, count) => sum + count, 0);
      console.log(`${name}: ${compared.length} tables and views, ${cells} cells equal to PostgreSQL's own text`);
      expect(cells).toBeGreaterThan(100);
    } finally {
      await client.end();
    }
  }, 240_000);
});

interface Coded {
  code: string;
}

/** Tables of which no columns tell the rows apart: refused with a code, not published wrongly. */
const withoutKey: Record<string, string[]> = {};

async function load({ name, statements }: SampleDatabase): Promise<pg.Client> {
  const database = await createDatabase();
  databases.push(database);
  const client = new pg.Client(database.url);
  await client.connect();
  // One of them is for a server with PostGIS, another makes a user that may be there already.
  let refused = 0;
  for (const statement of statements) {
    await client.query(statement).catch(() => {
      refused++;
    });
  }
  console.log(`${name}: ${refused} of ${statements.length} statements refused by this server`);
  await client.query(
    `set search_path to default; set timezone to 'UTC'; set datestyle to iso; set intervalstyle to postgres`,
  );
  exchange.secrets[`SAMPLE_${name}`] = database.url;
  const { 'datasets/health/people.yaml': _, 'datasets/health/people.contract.json': __, ...files } = exchangeFiles();
  sources[`sources/${name}.yaml`] = files['sources/health-his.yaml']!.replace('health-his', name).replace(
    'HEALTH_URL',
    `SAMPLE_${name}`,
  );
  await exchange.apply(base());
  return client;
}

const sources: Record<string, string> = {};

function base(): Record<string, string> {
  const { 'datasets/health/people.yaml': _, 'datasets/health/people.contract.json': __, ...files } = exchangeFiles();
  return { ...files, ...sources };
}

async function inferAll(source: string, tables: SourceTable[]) {
  const files: Record<string, string> = {};
  const refused: string[] = [];
  await inTurns(tables, async ({ schema, name: table }) => {
    const answer = await engineer('POST', `/sources/${source}/infer`, { body: { table: { schema, name: table } } });
    if (answer.statusCode === 200) Object.assign(files, answer.json().files);
    else refused.push(`${schema}.${table} ${answer.json().code}`);
  });
  return { files, refused: refused.sort() };
}

/** Four at a time. */
async function inTurns<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = [...items];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results.push(await work(next));
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

/** How many cells were compared. */
async function publishAndCompare(client: pg.Client, code: string): Promise<number> {
  const started = await engineer('POST', `/datasets/${code}/runs`, { body: {} });
  expect(started.statusCode, started.body).toBeLessThan(300);
  const { id } = started.json();
  const run = await ended(id);
  expect(run, code).toMatchObject({ state: expect.stringMatching(/published|succeeded/) });
  const { definition } = (
    await exchange.bench.world.catalog('dataset').where({ code }).select<{ definition: Definition }[]>('definition')
  )[0]!;
  const rows = await publishedRows(code);
  const expected = await printedRows(client, definition.table);
  const columns = expected.fields;
  expect(rows.length, `${code}: rows`).toBe(expected.rows.length);
  const shown = rows.map((row) => columns.map(({ name }) => row[name]));
  // An array of what Arrow has no list of is one text.
  const typeOf = (i: number): PgType => {
    const isList = shown.some((row) => Array.isArray(row[i]));
    return isList ? columns[i]!.type : { ...columns[i]!.type, element: null };
  };
  const normal = expected.rows.map((row) => row.map((text, i) => normalText(text, typeOf(i))));
  const published = shown.map((row) => row.map((value, i) => normalImage(value, typeOf(i))));
  expect(sorted(published), code).toEqual(sorted(normal));
  return rows.length * columns.length;
}

interface Definition {
  table: { schema?: string; name: string };
}

async function ended(id: string): Promise<{ state: string }> {
  for (;;) {
    const run = (await engineer('GET', `/runs/${id}`)).json();
    if (run.state !== 'running' && run.state !== 'queued') return run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** JSON lines, every scalar kept as its text. */
async function publishedRows(code: string): Promise<Record<string, unknown>[]> {
  const answer = await engineer('GET', `/datasets/${code}/data?format=json-lines`);
  expect(answer.statusCode, answer.body).toBe(200);
  const exact = answer.body.replace(/("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/g, (all, text, number) =>
    number === undefined ? (text ?? all) : `"#${number}"`,
  );
  return exact.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

/** What psql would print: the server's own text of every cell. */
async function printedRows(client: pg.Client, { schema, name }: Definition['table']) {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const result = await client.query<(string | null)[]>({
    text: `select * from ${schema === undefined ? '' : `${quote(schema)}.`}${quote(name)}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  const { rows: types } = await client.query<{ oid: number; base: string; element: string | null }>(
    `with recursive chain as (
       select oid, oid as at, typbasetype, typtype from pg_type where oid = any($1)
       union all select c.oid, t.oid, t.typbasetype, t.typtype from chain c join pg_type t on t.oid = c.typbasetype where c.typtype = 'd')
     select c.oid::int, t.typname as base, (select e.typname from pg_type e where e.typarray = t.oid) as element
       from chain c join pg_type t on t.oid = c.at where c.typtype <> 'd'`,
    [result.fields.map(({ dataTypeID }) => dataTypeID)],
  );
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const fields = result.fields.map((field) => ({ name: field.name, type: byOid.get(field.dataTypeID)! }));
  return { fields, rows: result.rows };
}

/** The oid of `text[]`. */
const TEXT_ARRAY: number = 1009;
/** The elements of an array's text, each as its own text. */
const textArray: (text: string) => (string | null)[] = pg.types.getTypeParser(TEXT_ARRAY);

type PgType = { base: string; element: string | null };

/** The server's text, in the one form that both sides are brought into. Nothing but spelling may differ. */
function normalText(text: string | null, { base, element }: PgType): unknown {
  if (text === null) return null;
  if (element !== null && text.startsWith('{') && !text.startsWith('{{')) {
    return textArray(text).map((item) => normalText(item, { base: element, element: null }));
  }
  switch (base) {
    case 'bool':
      return text === 't';
    case 'float4':
      return Math.fround(Number(text)) || text.replace(/^0$/, '0');
    case 'float8':
      return Number(text) || text;
    case 'bytea':
      return Buffer.from(text.slice(2), 'hex').toString('base64');
    case 'money':
      return text.replace(/[$,]/g, '');
    default:
      return text;
  }
}

function normalImage(value: unknown, type: PgType): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => normalImage(item, { base: type.element ?? type.base, element: null }));
  }
  if (typeof value !== 'string') return value;
  const text = value.replace(/^#/, '');
  switch (type.base) {
    case 'float4':
    case 'float8':
      return Number(text) || text;
    case 'timestamp':
    case 'timestamptz':
      return text
        .replace(/^(\d{4}-\d\d-\d\d)T/, '$1 ')
        .replace(/(\.\d*?)0+(Z?)$/, '$1$2')
        .replace(/\.(Z?)$/, '$1')
        .replace(/Z$/, '+00');
    case 'time':
      return text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    default:
      return text;
  }
}

function sorted(rows: unknown[][]): unknown[][] {
  return rows
    .map((row) => ({ row, key: JSON.stringify(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
}
