/**
 * Answers as a database with given tables would: to the catalog queries of connectors/mssql, to its totals, and to its
 * SELECT of a table or of a cursor's window of it. It recognises them by what they name; it proves nothing about the SQL
 * itself (MSSQL_URL does).
 */
import { type CellOf, greatest, holds, type Moment } from './conditions.ts';
import type { Reply, TdsQuery } from './server.ts';
import type { TdsColumn, TdsRow } from './tokens.ts';
import { decimal, fixed, integer, nvarchar, type TdsType } from './types.ts';

export interface FakeColumn {
  name: string;
  /** As in CREATE TABLE, for instance `decimal(18,4)`. */
  declared: string;
  /** How the query returns it. */
  type: TdsType;
  nullable?: boolean;
  comment?: string;
  codePage?: number;
  isClr?: boolean;
  isEncrypted?: boolean;
}

export interface FakeTable {
  schema?: string;
  name: string;
  columns: FakeColumn[];
  rows?: TdsRow[];
  /** Sends the rows instead. */
  send?(reply: Reply, columns: TdsColumn[]): Promise<void>;
  keys?: { columns: string[]; primary?: boolean }[];
  comment?: string;
  kind?: 'U' | 'V';
  isForbidden?: boolean;
}

export interface FakeDatabase {
  tables: FakeTable[];
  /** ALLOW_SNAPSHOT_ISOLATION; READ_ONLY. */
  snapshotIsolation?: boolean;
  readOnly?: boolean;
  changeTracking?: boolean;
  useNbcRows?: boolean;
  /** For cursors. */
  moment?: Moment;
}

type Result = { columns: TdsColumn[]; rows: TdsRow[] };

/** For a server's `answer`. */
export function answerAs(database: FakeDatabase): (query: TdsQuery, reply: Reply) => Promise<void> {
  return async (query, reply) => {
    const result = catalogResult(database, query);
    if (result !== undefined) return send(reply, result);
    if (/^(begin transaction|select 1( as alive)?;?)$/i.test(query.sql)) return;
    await answerTable(database, query, reply);
  };
}

async function send(reply: Reply, { columns, rows }: Result): Promise<void> {
  await reply.columns(columns);
  for (const row of rows) await reply.row(row);
}

/** Nothing is open, and it is late. */
const settled: Moment = { now: '9999-01-01 00:00:00.0000000', minActiveRowversion: '0xFFFFFFFFFFFFFFFF' };

async function answerTable(database: FakeDatabase, { sql }: TdsQuery, reply: Reply): Promise<void> {
  const { tables, useNbcRows, moment = settled } = database;
  const table = tables.find((candidate) => sql.includes(`from ${quoted(candidate)}`));
  if (table === undefined) return reply.error(208, 'Invalid object name.');
  if (table.isForbidden) return reply.error(229, 'The SELECT permission was denied on the object.');
  const rows = rowsWithin(table, sql, moment);
  if (sql.includes('count_big')) return send(reply, totals(table, rows, sql));
  if (sql.includes(' as bound ')) return send(reply, boundOf(table, rows, sql));
  const list = sql.slice(0, sql.indexOf(` from ${quoted(table)}`));
  const places = table.columns.map(({ name }) => list.indexOf(bracketed(name)));
  const chosen = places.map((_, i) => i).filter((i) => (places[i] ?? -1) >= 0);
  chosen.sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const columns = chosen.map((i) => table.columns[i] as FakeColumn).map(({ name, type }) => ({ name, type }));
  await reply.columns(columns);
  if (sql.includes('where 1 = 0')) return;
  if (table.send) return table.send(reply, columns);
  for (const row of rows) {
    const cells = chosen.map((i) => row[i] ?? null);
    await (useNbcRows ? reply.nbcRow(cells) : reply.row(cells));
  }
}

/** Those that the query's WHERE lets through. */
function rowsWithin(table: FakeTable, sql: string, moment: Moment): TdsRow[] {
  const rows = table.rows ?? [];
  const condition = sql.split(` from ${quoted(table)} where `)[1];
  if (condition === undefined || condition === '1 = 0') return rows;
  const cellOf = (row: TdsRow): CellOf => {
    return (name) => row[table.columns.findIndex((column) => column.name === name)] ?? null;
  };
  return rows.filter((row) => holds(condition, cellOf(row), moment));
}

function boundOf(table: FakeTable, rows: TdsRow[], sql: string): Result {
  const index = table.columns.findIndex(
    ({ name }) => sql.includes(`max(${bracketed(name)})`) || sql.includes(`max(cast(${bracketed(name)} as`),
  );
  return texts(['bound'], [[greatest(rows.map((row) => row[index] ?? null))]]);
}

function totals(table: FakeTable, rows: TdsRow[], sql: string): Result {
  const summed = [...sql.matchAll(/sum\(cast\(\[((?:[^\]]|\]\])+)\] as decimal\(38, (\d+)\)/g)];
  const sums = summed.map(([, name = '', scale = '0']) => {
    const index = table.columns.findIndex((column) => bracketed(column.name) === `[${name}]`);
    return sum(
      rows.map((row) => row[index] ?? '0'),
      Number(scale),
    );
  });
  const names = ['n', ...sums.map((_, i) => `s${i}`)];
  return texts(names, [[String(rows.length), ...sums]]);
}

function sum(values: string[], scale: number): string {
  const total = values.reduce((all, value) => {
    const [whole = '', fraction = ''] = value.split('.');
    return all + BigInt(whole + fraction.padEnd(scale, '0'));
  }, 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${total < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

/** What the catalog views answer; undefined for another query. */
function catalogResult(database: FakeDatabase, { sql, parameters }: TdsQuery): Result | undefined {
  if (sql.startsWith('select 20241123 as number')) return selfTest;
  if (sql.includes('ProductVersion')) return texts(['version'], [['16.0.1000.6']]);
  if (sql.includes('from sys.databases')) {
    const row = [database.snapshotIsolation ? '1' : '0', database.readOnly ? '1' : '0'];
    return { columns: ['isolation', 'is_read_only'].map((name) => ({ name, type: integer(4) })), rows: [row] };
  }
  if (sql.includes('sys.change_tracking_databases')) {
    return { columns: [{ name: 'tracked', type: integer(4) }], rows: [[database.changeTracking ? '1' : '0']] };
  }
  if (sql.includes('from sys.objects o')) return objects(database, parameters.p0);
  if (sql.includes('object_id(@p0)')) {
    const found = database.tables.findIndex((table) => isNamed(table, parameters.p0));
    return texts(['id'], [[found < 0 ? null : String(found)]]);
  }
  if (sql.includes('from sys.columns c')) return columns(database);
  if (sql.includes('from sys.indexes i')) return keys(database);
  return undefined;
}

const selfTest: Result = {
  columns: [
    { name: 'number', type: fixed(0x38, integer(4)) },
    { name: 'name', type: nvarchar(4) },
    { name: 'amount', type: decimal(38, 1) },
  ],
  rows: [['20241123', '汇通', '-1.5']],
};

function objects({ tables }: FakeDatabase, wanted: string | null | undefined): Result {
  const rows = tables.flatMap((table, id) => {
    if (table.isForbidden || (wanted && !isNamed(table, wanted))) return [];
    const { schema = 'dbo', name, kind = 'U', comment = null, rows: content } = table;
    return [[String(id), schema, name, kind, '0', kind === 'U' ? String(content?.length ?? 0) : null, comment]];
  });
  const numbers = new Set(['is_external']);
  const names = ['id', 'schema_name', 'object_name', 'type', 'is_external', 'row_estimate', 'comment'];
  return { columns: names.map((name) => ({ name, type: numbers.has(name) ? integer(4) : nvarchar(128) })), rows };
}

function columns({ tables }: FakeDatabase): Result {
  const rows = tables.flatMap((table, id) =>
    table.columns.map((column) => {
      const { name, nullable = true, comment = null, codePage, isClr, isEncrypted } = column;
      const flags = [nullable, isClr, isEncrypted].map((flag) => (flag ? '1' : '0'));
      const page = codePage === undefined ? null : String(codePage);
      return [String(id), name, ...declaration(column.declared), ...flags, page, comment];
    }),
  );
  const textNames = new Set(['object_id', 'name', 'type_name', 'comment']);
  const names = ['object_id', 'name', 'type_name', 'max_length', 'precision', 'scale'];
  const all = [...names, 'is_nullable', 'is_clr', 'is_encrypted', 'code_page', 'comment'];
  return { columns: all.map((name) => ({ name, type: textNames.has(name) ? nvarchar(128) : integer(4) })), rows };
}

/** Type name, length in bytes, precision, scale. */
function declaration(declared: string): string[] {
  const [name = '', first = '0', second = '0'] = declared.split(/[(),]/);
  const bytes = first === 'max' ? -1 : Number(first) * (name.startsWith('n') ? 2 : 1);
  const isTime = ['time', 'datetime2', 'datetimeoffset'].includes(name);
  return [name, String(bytes), isTime || first === 'max' ? '0' : first, isTime ? first : second];
}

function keys({ tables }: FakeDatabase): Result {
  const rows = tables.flatMap((table, id) =>
    (table.keys ?? []).flatMap((key, index) =>
      key.columns.map((name) => {
        const nullable = table.columns.find((column) => column.name === name)?.nullable ?? true;
        return [String(id), String(index), key.primary ? '1' : '0', name, nullable ? '1' : '0'];
      }),
    ),
  );
  const textNames = new Set(['object_id', 'name']);
  const names = ['object_id', 'index_id', 'is_primary_key', 'name', 'is_nullable'];
  return { columns: names.map((name) => ({ name, type: textNames.has(name) ? nvarchar(128) : integer(4) })), rows };
}

function texts(names: string[], rows: TdsRow[]): Result {
  return { columns: names.map((name) => ({ name, type: nvarchar(128) })), rows };
}

function isNamed(table: FakeTable, wanted: string | null | undefined): boolean {
  return wanted === quoted(table) || wanted === bracketed(table.name);
}

function quoted({ schema = 'dbo', name }: FakeTable): string {
  return `${bracketed(schema)}.${bracketed(name)}`;
}

function bracketed(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}
