/** What the Python world reads over HTTP: pyarrow, Polars and DuckDB, in every format, against SQL in the source. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, exchangeFiles, openExchange, type TestExchange } from '../server/exchange.ts';
import { pythonLacks, runPython } from '../support/python.ts';

/** One answer for all clients; strings, so that no number is rounded on its way through JSON. */
interface Summary {
  rows: number;
  ids: string;
  balance: string;
  nullBalances: number;
  nullNames: number;
  emptyNotes: number;
  /** Name and note of the row that tries every quote. */
  name: string;
  note: string;
  firstBirth: string;
  /** Microseconds are kept: the last time, as ISO 8601 in UTC. */
  lastSeen: string;
}

const lacks = pythonLacks('pyarrow', 'polars', 'duckdb');
if (lacks !== undefined) console.warn(`test/clients is skipped: ${lacks}`);

let exchange: TestExchange;
let url: string;
let token: string;
let expected: Summary;
describe.skipIf(lacks !== undefined)('Python clients', () => {
  beforeAll(async () => {
    exchange = await openExchange();
    await exchange.apply(exchangeFiles());
    const engineer = await exchange.as('health', 'engineer');
    const { id } = (await engineer('POST', `/datasets/${DATASET}/runs`)).json();
    while ((await engineer('GET', `/runs/${id}`)).json().state === 'running') await delay(50);
    expect((await engineer('GET', `/runs/${id}`)).json().state).toBe('published');
    url = `${exchange.url}/v1/datasets/${DATASET}/data`;
    token = await exchange.token('police', 'officer');
    [expected] = await exchange.sql<Summary & Record<string, unknown>>(SQL);
  });
  afterAll(() => exchange?.close());

  test.each(Object.entries(scripts))('%s', async (_, script) => {
    expect(
      await runPython<Summary>(PRELUDE + (script.includes('from_duckdb') ? DUCKDB : '') + script + PRINT, url, token),
    ).toEqual(expected);
  });
});

const ODD_ROW = 9_007_199_254_740_992n + 5n;
const SQL = `
  with good as (select * from "人口" where "余额" is null or "余额" >= 0)
  select count(*)::int as rows, sum(id)::text as ids, sum("余额")::text as balance,
         count(*) filter (where "余额" is null)::int as "nullBalances",
         count(*) filter (where "姓名" is null)::int as "nullNames",
         count(*) filter (where "备注" = '')::int as "emptyNotes",
         max("姓名") filter (where id = ${ODD_ROW}) as name, max("备注") filter (where id = ${ODD_ROW}) as note,
         min("出生日期")::text as "firstBirth",
         to_char(max("更新时间") at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as "lastSeen"
  from good`;

const PRELUDE = `
import io, json, sys, urllib.request
from decimal import Decimal
URL, TOKEN, ODD = sys.argv[1], sys.argv[2], ${ODD_ROW}
def fetch(accept):
    request = urllib.request.Request(URL, headers={'Authorization': 'Bearer ' + TOKEN, 'Accept': accept})
    return urllib.request.urlopen(request)
def stamp(time):
    return time.strftime('%Y-%m-%dT%H:%M:%S.%f')
def from_rows(rows):
    odd = next(row for row in rows if row['id'] == ODD)
    return dict(rows=len(rows), ids=str(sum(row['id'] for row in rows)),
        balance=str(sum((row['余额'] for row in rows if row['余额'] is not None), Decimal(0))),
        nullBalances=sum(row['余额'] is None for row in rows), nullNames=sum(row['姓名'] is None for row in rows),
        emptyNotes=sum(row['备注'] == '' for row in rows), name=odd['姓名'], note=odd['备注'],
        firstBirth=str(min(row['出生日期'] for row in rows if row['出生日期'] is not None)),
        lastSeen=stamp(max(row['更新时间'] for row in rows)))
`;
const DUCKDB = `
import duckdb, tempfile
TYPES = "{'id': 'BIGINT', '姓名': 'VARCHAR', '余额': 'DECIMAL(14,2)', '出生日期': 'DATE', '更新时间': 'TIMESTAMPTZ', '备注': 'VARCHAR'}"
folder = tempfile.TemporaryDirectory()
def saved(accept):
    path = folder.name + '/people'
    with open(path, 'wb') as file:
        file.write(fetch(accept).read())
    return path
def from_duckdb(relation, people=None):
    row = duckdb.execute(f"""
      select count(*), sum(id)::varchar, sum("余额")::varchar, count(*) filter ("余额" is null),
             count(*) filter ("姓名" is null), count(*) filter ("备注" = ''),
             max("姓名") filter (id = {ODD}), max("备注") filter (id = {ODD}), min("出生日期")::varchar,
             epoch_us(max("更新时间")) from {relation}""").fetchone()
    names = ['rows', 'ids', 'balance', 'nullBalances', 'nullNames', 'emptyNotes', 'name', 'note', 'firstBirth']
    from datetime import datetime, timedelta
    return dict(zip(names, row), lastSeen=stamp(datetime(1970, 1, 1) + timedelta(microseconds=row[-1])))
`;
const PRINT = '\nprint(json.dumps(summary))\n';

const scripts = {
  'pyarrow reads the Arrow stream': `
import pyarrow as pa
with pa.ipc.open_stream(fetch('application/vnd.apache.arrow.stream')) as reader:
    table = reader.read_all()
table.validate(full=True)
assert str(table.schema.field('余额').type) == 'decimal128(14, 2)', table.schema
summary = from_rows(table.to_pylist())`,

  'Polars reads the Arrow stream': `
import polars as pl
frame = pl.read_ipc_stream(fetch('application/vnd.apache.arrow.stream').read())
summary = from_rows(frame.to_dicts())`,

  'DuckDB reads the Arrow stream': `
import pyarrow as pa
people = pa.ipc.open_stream(fetch('application/vnd.apache.arrow.stream')).read_all()
summary = from_duckdb('people', people)`,

  'DuckDB reads CSV': `
options = f"header = true, allow_quoted_nulls = false, columns = {TYPES}"
summary = from_duckdb(f"read_csv('{saved('text/csv')}', {options})")`,

  'DuckDB reads JSON lines': `
summary = from_duckdb(f"read_json('{saved('application/x-ndjson')}', format = 'newline_delimited', columns = {TYPES})")`,

  'Polars reads CSV': `
import polars as pl
frame = pl.read_csv(fetch('text/csv').read(), schema_overrides={'余额': pl.String, '更新时间': pl.String}, try_parse_dates=True)
frame = frame.with_columns(pl.col('余额').cast(pl.Decimal(14, 2)), pl.col('更新时间').str.to_datetime(time_unit='us', time_zone='UTC'))
summary = from_rows(frame.to_dicts())`,
};
