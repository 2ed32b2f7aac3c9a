/** The tables of the extract bench, with a contract each. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type pg from 'pg';
import { environmentCommand, firstLine, installPackages } from './python.ts';

export interface BenchTable {
  name: string;
  /** Makes the table from nothing, where no other way is at hand. */
  sql(rows: number): string;
  rows(scale: number): number;
  contract: Record<string, unknown>;
}

/** Makes the table, and tells of what. */
export async function makeTable(
  client: pg.Client,
  table: BenchTable,
  scale: number,
  directory: string,
): Promise<string> {
  const made = table === lineitem && (await loadTpch(client, scale, directory));
  if (!made) await client.query(table.sql(table.rows(scale)));
  await client.query(`vacuum (freeze, analyze) ${table.name}`);
  return made
    ? 'TPC-H, from tpchgen-cli'
    : `made by SQL${table === lineitem ? ': TPC-H’s columns and types, not its text' : ''}`;
}

const LINEITEM_COLUMNS = `
  l_orderkey bigint not null, l_partkey bigint not null, l_suppkey bigint not null, l_linenumber integer not null,
  l_quantity numeric(15,2) not null, l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null,
  l_tax numeric(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null, l_shipdate date not null,
  l_commitdate date not null, l_receiptdate date not null, l_shipinstruct char(25) not null,
  l_shipmode char(10) not null, l_comment varchar(44) not null`;

/** lineitem from TPC-H's generator; false where Python, the generator or its file cannot be had. */
async function loadTpch(client: pg.Client, scale: number, directory: string): Promise<boolean> {
  if (!(await installPackages(['tpchgen-cli']))) return false;
  const output = join(directory, 'tpch');
  try {
    await mkdir(output);
    const args = ['csv', '--scale-factor', String(scale), '--tables', 'lineitem', '--output-dir', output];
    await promisify(execFile)(environmentCommand('tpchgen-cli'), args);
    // The server reads the file itself, and may be another user.
    for (const folder of [directory, output]) await chmod(folder, 0o755);
    await client.query(`create table lineitem (${LINEITEM_COLUMNS})`);
    await client.query(`copy lineitem from '${join(output, 'lineitem.csv')}' (format csv, header)`);
    await client.query('alter table lineitem add primary key (l_orderkey, l_linenumber)');
    return true;
  } catch (e) {
    process.stderr.write(`tpchgen-cli is of no use here: ${firstLine(e)}\n`);
    await client.query('drop table if exists lineitem');
    return false;
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

/** TPC-H's columns, types and value ranges; its text grammar only from its own generator. Scale 1 is 6 million rows. */
const lineitem: BenchTable = {
  name: 'lineitem',
  rows: (scale) => Math.round(6_001_215 * scale),
  sql: (rows) => `
    create table lineitem as
      select (n / 4)::bigint as l_orderkey, (n * 7919 % 200000)::bigint as l_partkey, (n * 31 % 10000)::bigint as l_suppkey,
             (n % 4 + 1)::integer as l_linenumber, (n % 50 + 1)::numeric(15,2) as l_quantity,
             (n * 37 % 10000000 / 100.0)::numeric(15,2) as l_extendedprice, (n % 11 / 100.0)::numeric(15,2) as l_discount,
             (n % 9 / 100.0)::numeric(15,2) as l_tax, (array['A','N','R'])[n % 3 + 1]::char(1) as l_returnflag,
             (array['F','O'])[n % 2 + 1]::char(1) as l_linestatus, date '1992-01-02' + (n % 2526)::integer as l_shipdate,
             date '1992-01-31' + (n % 2466)::integer as l_commitdate, date '1992-01-03' + (n % 2554)::integer as l_receiptdate,
             (array['COLLECT COD','DELIVER IN PERSON','NONE','TAKE BACK RETURN'])[n % 4 + 1]::char(25) as l_shipinstruct,
             (array['AIR','FOB','MAIL','RAIL','REG AIR','SHIP','TRUCK'])[n % 7 + 1]::char(10) as l_shipmode,
             substr(md5(n::text), 1, (n % 32 + 1)::integer)::varchar(44) as l_comment
      from generate_series(0::bigint, ${rows - 1}) n;
    alter table lineitem add primary key (l_orderkey, l_linenumber)`,
  contract: {
    version: '1.0.0',
    key: ['l_orderkey', 'l_linenumber'],
    type: 'object',
    properties: {
      l_orderkey: { type: 'integer', minimum: 0 },
      l_partkey: { type: 'integer' },
      l_suppkey: { type: 'integer' },
      l_linenumber: { type: 'integer', minimum: 1, maximum: 7 },
      l_quantity: { type: 'number', minimum: 1, maximum: 50 },
      l_extendedprice: { type: 'number', minimum: 0 },
      l_discount: { type: 'number', minimum: 0, maximum: 0.1 },
      l_tax: { type: 'number', minimum: 0, maximum: 0.08 },
      l_returnflag: { type: 'string', enum: ['A', 'N', 'R'] },
      l_linestatus: { type: 'string', enum: ['F', 'O'] },
      l_shipdate: { type: 'string', format: 'date' },
      l_commitdate: { type: 'string', format: 'date' },
      l_receiptdate: { type: 'string', format: 'date' },
      l_shipinstruct: { type: 'string', minLength: 1 },
      l_shipmode: { type: 'string', minLength: 1 },
      l_comment: { type: 'string', maxLength: 44 },
    },
  },
};

/** Scale 1 is 2 million rows. */
const residents: BenchTable = {
  name: 'residents',
  rows: (scale) => Math.round(2_000_000 * scale),
  sql: (rows) => `
    create table residents as
      select n as id, md5(n::text)::uuid as uuid, '居民' || n as name, lpad((n * 7919)::text, 18, '4')::char(18) as id_no,
             date '1940-01-01' + (n % 30000)::integer as birth,
             case when n % 5 = 0 then null else '龙华区民治街道' || n % 100 || '号' end as address,
             22.5 + n % 1000 / 10000.0::double precision as lat, 113.9 + n % 1000 / 10000.0::double precision as lon,
             (n % 1000000 / 1000.0)::numeric(10,4) as score, timestamptz '2020-01-01Z' + n * interval '1 second' as updated_at,
             jsonb_build_object('s', n % 10) as extra
      from generate_series(1::bigint, ${rows}) n;
    alter table residents add primary key (id)`,
  contract: {
    version: '1.0.0',
    key: ['id'],
    type: 'object',
    properties: {
      id: { type: 'integer', minimum: 1 },
      uuid: { type: 'string', format: 'uuid' },
      name: { type: 'string', minLength: 2, maxLength: 20 },
      id_no: { type: 'string', pattern: '^\\d{17}[\\dX]$' },
      birth: { type: 'string', format: 'date' },
      address: { type: ['string', 'null'], minLength: 5 },
      lat: { type: 'number', minimum: 3, maximum: 54 },
      lon: { type: 'number', minimum: 73, maximum: 136 },
      score: { type: 'number', minimum: 0, exclusiveMaximum: 1000 },
      updated_at: { type: 'string', format: 'date-time' },
      extra: { type: 'string' },
    },
  },
};

export const benchTables: BenchTable[] = [lineitem, residents];
