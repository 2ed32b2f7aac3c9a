/**
 * Databases that nobody here wrote, from discovery to published versions without an edit: every table and view, and
 * every cell equal to the text that PostgreSQL itself prints.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SourceTable, TableName } from '../../connectors/connector.ts';
import { distinctness } from '../support/distinctness.ts';
import { createDatabase } from '../support/postgres.ts';
import type { SampleDatabase } from '../support/sample-database.ts';
import { fromStatements, sampleDatabases } from '../support/sample-databases.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';
import { normalImage, normalText, type PgType, printedRows, sorted } from './printed-cells.ts';
import type { Caller } from './support.ts';

/** What the packages' two have none of; by ours, so that it is tested where PostgreSQL's own cannot be fetched. */
const own = fromStatements([
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
]);

let samples: Record<string, SampleDatabase | string>;
let exchange: TestExchange;
let engineer: Caller;
const databases: { url: string; drop(): Promise<void> }[] = [];

beforeAll(async () => {
  samples = { ...(await sampleDatabases()), ours: own };
  exchange = await openExchange();
  engineer = await exchange.as('health', 'engineer');
}, 600_000);
afterAll(async () => {
  await exchange.close();
  for (const database of databases) await database.drop();
});

describe.each(['books', 'debezium', 'regression', 'ours'])('%s', (name) => {
  test('every table and view is published, each cell as PostgreSQL prints it', async ({ skip }) => {
    const sample = samples[name];
    if (sample === undefined || typeof sample === 'string') return skip(sample);
    const client = await load(name, sample);
    try {
      const discovered: SourceTable[] = (await engineer('POST', `/sources/${name}/discover`)).json().tables;
      const { tables, published } = await (sample.choose?.(client, discovered) ?? everyTable(discovered));
      const { files, refused } = await inferAll(name, tables);
      for (const { table, code } of refused) await expectReason(client, table, code);
      await exchange.apply({ ...base(), ...files });
      const datasets = (await engineer('GET', '/datasets?limit=1000')).json().items.map(({ code }: Coded) => code);
      const compared = await inTurns(datasets, (code: string) => publishAndCompare(client, code));
      expect(compared.length).toBe(tables.length - refused.length);
      const cells = compared.reduce((sum, count) => sum + count, 0);
      console.log(
        `${name}: ${compared.length} tables and views, ${cells} cells equal to PostgreSQL's own text; without a key, hence refused: ${refused.map(({ table }) => table.name).join(', ') || 'none'}`,
      );
      published(tables.filter((table) => !refused.some((other) => other.table === table)));
      expect(cells).toBeGreaterThan(100);
    } finally {
      await client.end();
    }
  }, 900_000);
});

interface Coded {
  code: string;
}

/** All of them, and none may be refused. */
async function everyTable(tables: TableName[]) {
  return { tables, published: (left: TableName[]) => expect(left).toEqual(tables) };
}

/** Refused, not published wrongly: only where no columns without null tell the rows apart, by the server's own word. */
async function expectReason(client: pg.Client, table: TableName, code: string): Promise<void> {
  expect(code, table.name).toBe('KEY_NOT_FOUND');
  expect(await distinctness(client, table), table.name).toMatchObject({ apart: false });
}

async function load(name: string, sample: SampleDatabase): Promise<pg.Client> {
  const database = await createDatabase();
  databases.push(database);
  const client = new pg.Client(database.url);
  await client.connect();
  console.log(`${name}: ${await sample.load(client, database.url)}`);
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

async function inferAll(source: string, tables: TableName[]) {
  const files: Record<string, string> = {};
  const refused: { table: TableName; code: string }[] = [];
  await inTurns(tables, async (table) => {
    const { schema, name } = table;
    const answer = await engineer('POST', `/sources/${source}/infer`, { body: { table: { schema, name } } });
    if (answer.statusCode === 200) Object.assign(files, answer.json().files);
    else refused.push({ table, code: answer.json().code });
  });
  return { files, refused };
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
