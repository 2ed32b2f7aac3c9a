/** What information_schema says of tables: their columns and types, what keeps rows unique, comments. */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { CatalogColumn } from '../columns.ts';
import type { SourceTable, TableName } from '../connector.ts';
import type { Connection, Row } from './connection.ts';
import type { CatalogType } from './types.ts';

export interface Relation {
  schema: string;
  name: string;
  kind: SourceTable['kind'];
  /** Absent for views. */
  engine?: string;
  rows?: number;
  comment?: string;
}

export type RelationColumn = CatalogColumn<CatalogType>;

export interface UniqueKey {
  columns: string[];
  primary: boolean;
}

/** Engines that read another server or a file. */
const foreignEngines = /^(federated|federatedx|connect|spider|s3|csv)$/i;

/** The server's names of columns differ in case between releases: each has an alias. */
const relationQuery = `
select table_schema as table_schema, table_name as table_name, table_type as table_type, engine as engine,
       table_rows as row_estimate, table_comment as remark, create_options as options
  from information_schema.tables
 where table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') and table_schema = ?`;

/** Tables and views of the connection's database that this user can see, ordered by name. */
export async function findRelations(connection: Connection): Promise<Relation[]> {
  const rows = await connection.query(`${relationQuery} order by table_name`, [connection.target.database]);
  return rows.map(relationOf);
}

/** Throws TABLE_NOT_FOUND, SOURCE_FORBIDDEN. Without a schema the connection's database counts. */
export async function findRelation(connection: Connection, table: TableName): Promise<Relation> {
  const schema = table.schema ?? connection.target.database;
  const at = quoteTable({ schema, name: table.name });
  const rows = await connection.query(`${relationQuery} and table_name = ?`, [schema, table.name], at);
  const found = rows.map(relationOf);
  const relation = found.find(({ name }) => name === table.name);
  if (relation !== undefined) return relation;
  // Names differ by case alone: the server says whether it takes them for the same.
  try {
    await connection.describe(`select 1 from ${at}`, at);
  } catch (cause) {
    if (!isHuitongError(cause, 'SOURCE_FORBIDDEN') && !isHuitongError(cause, 'SOURCE_DATABASE_MISSING')) throw cause;
    throw new HuitongError('SOURCE_FORBIDDEN', 'this user may not read the table, or there is none', { at, cause });
  }
  if (found[0] !== undefined) return found[0];
  throw new HuitongError('TABLE_NOT_FOUND', 'the source has no table or view of this name', { at });
}

function relationOf(row: Row): Relation {
  const isView = row.table_type === 'VIEW';
  const engine = String(row.engine ?? '');
  const isPartitioned = /\bpartitioned\b/i.test(String(row.options ?? ''));
  const remark = String(row.remark ?? '');
  return {
    schema: String(row.table_schema),
    name: String(row.table_name),
    kind: isView ? 'view' : foreignEngines.test(engine) ? 'foreign' : isPartitioned ? 'partitioned' : 'table',
    ...(isView || engine === '' ? {} : { engine }),
    ...(isView || row.row_estimate === null ? {} : { rows: Number(row.row_estimate) }),
    // Of a view it says `VIEW`.
    ...(isView || remark === '' ? {} : { comment: remark }),
  };
}

const columnQuery = `
select table_name as table_name, column_name as column_name, data_type as data_type, column_type as column_type,
       is_nullable as is_nullable, numeric_precision as numeric_precision, numeric_scale as numeric_scale,
       character_set_name as charset, column_comment as remark
  from information_schema.columns where table_schema = ?`;

/** Columns by the name of their table, in order; `name`: of this table alone. */
export async function findColumns(
  connection: Connection,
  schema: string,
  name?: string,
): Promise<Map<string, RelationColumn[]>> {
  const rows = await queryOf(connection, columnQuery, 'ordinal_position', schema, name);
  const columns = new Map<string, RelationColumn[]>();
  for (const row of rows) append(columns, String(row.table_name), columnOf(row));
  return columns;
}

function columnOf(row: Row): RelationColumn {
  const sourceType = String(row.column_type);
  const remark = String(row.remark ?? '');
  return {
    name: String(row.column_name),
    type: {
      name: String(row.data_type).toLowerCase(),
      unsigned: /\bunsigned\b/i.test(sourceType),
      precision: Number(row.numeric_precision ?? 0),
      scale: Number(row.numeric_scale ?? 0),
      ...(typeof row.charset === 'string' ? { charset: row.charset } : {}),
    },
    sourceType,
    nullable: row.is_nullable === 'YES',
    ...(remark === '' ? {} : { comment: remark }),
  };
}

/** Throws COLUMN_NOT_FOUND. */
export function columnNamed(columns: RelationColumn[], name: string, at: string): RelationColumn {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  throw new HuitongError('COLUMN_NOT_FOUND', `the table has no column ${name}`, { at });
}

/** Of an index over an expression no column is told. */
const keyQuery = `
select table_name as table_name, index_name as index_name, column_name as column_name, nullable as nullable
  from information_schema.statistics where non_unique = 0 and table_schema = ?`;

/** Column sets that a unique index keeps unique and not null, by the name of their table; the primary key comes first. */
export async function findUniqueKeys(
  connection: Connection,
  schema: string,
  name?: string,
): Promise<Map<string, UniqueKey[]>> {
  const rows = await queryOf(connection, keyQuery, `index_name <> 'PRIMARY', index_name, seq_in_index`, schema, name);
  const indexes = new Map<string, Row[]>();
  for (const row of rows) append(indexes, JSON.stringify([row.table_name, row.index_name]), row);
  const keys = new Map<string, UniqueKey[]>();
  for (const parts of indexes.values()) {
    if (parts.some((part) => part.nullable === 'YES' || part.column_name === null)) continue;
    const key = { columns: parts.map((part) => String(part.column_name)), primary: parts[0]?.index_name === 'PRIMARY' };
    append(keys, String(parts[0]?.table_name), key);
  }
  return keys;
}

/** Whether a transaction keeps the rows of this table from changing. */
export async function isTransactional(connection: Connection, relation: Relation): Promise<boolean> {
  if (relation.engine !== undefined) {
    const rows = await connection.query(
      `select engine as engine from information_schema.engines where engine = ? and transactions = 'YES'`,
      [relation.engine],
    );
    return rows.length > 0;
  }
  // Which tables a view reads is not told everywhere: it is held to the worst that its user can see.
  const rows = await connection.query(
    `select t.table_name as name
       from information_schema.tables t left join information_schema.engines e on e.engine = t.engine
      where t.table_type <> 'VIEW' and t.table_schema not in ('information_schema', 'performance_schema', 'mysql', 'sys')
        and t.engine is not null and t.table_type <> 'SYSTEM VIEW' and coalesce(e.transactions, 'NO') <> 'YES' limit 1`,
  );
  return rows.length === 0;
}

function queryOf(connection: Connection, query: string, order: string, schema: string, name?: string): Promise<Row[]> {
  return name === undefined
    ? connection.query(`${query} order by table_name, ${order}`, [schema])
    : connection.query(`${query} and table_name = ? order by table_name, ${order}`, [schema, name]);
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteTable(table: TableName): string {
  return table.schema === undefined ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`;
}
