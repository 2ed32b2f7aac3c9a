/** What the catalog views say of tables: their columns and types, what keeps rows unique, comments. */
import { HuitongError } from '../../lib/errors.ts';
import type { CatalogColumn } from '../columns.ts';
import type { SourceTable, TableName } from '../connector.ts';
import type { Connection, Row } from './connection.ts';
import type { CatalogType } from './types.ts';

export interface Relation {
  id: number;
  schema: string;
  name: string;
  kind: SourceTable['kind'];
  rows?: number;
  comment?: string;
}

/** `sourceType` is as it would be declared, for instance `decimal(10,2)`. */
export type RelationColumn = CatalogColumn<CatalogType>;

export interface UniqueKey {
  columns: string[];
  primary: boolean;
}

/** A list of conditions much longer than this makes SQL Server's optimiser slow. */
const TABLES_AT_A_TIME = 500;

const kinds: Record<string, Relation['kind']> = { U: 'table', V: 'view' };

/** Columns of sys.objects `o` that make a `Relation`. Only whoever may select them sees tables here. */
const relationQuery = `
select cast(o.object_id as nvarchar(20)) as id, s.name as schema_name, o.name as object_name, rtrim(o.type) as type,
       case when t.is_external = 1 then 1 else 0 end as is_external,
       cast(case when o.type = 'U' then (select sum(p.rows) from sys.partitions p
         where p.object_id = o.object_id and p.index_id in (0, 1)) end as nvarchar(20)) as row_estimate,
       (select cast(e.value as nvarchar(max)) from sys.extended_properties e
         where e.class = 1 and e.major_id = o.object_id and e.minor_id = 0 and e.name = N'MS_Description') as comment
  from sys.objects o join sys.schemas s on s.schema_id = o.schema_id
  left join sys.tables t on t.object_id = o.object_id
 where o.type in ('U', 'V') and o.is_ms_shipped = 0
   and has_perms_by_name(quotename(s.name) + N'.' + quotename(o.name), N'OBJECT', N'SELECT') = 1`;

/** Tables and views that this user can read, ordered by schema and name. */
export async function findRelations(connection: Connection): Promise<Relation[]> {
  const rows = await connection.query(`${relationQuery} order by s.name, o.name`);
  return rows.map(relationOf);
}

/** Throws TABLE_NOT_FOUND, SOURCE_FORBIDDEN. Without a schema the user's own counts, which is `dbo` for most. */
export async function findRelation(connection: Connection, table: TableName): Promise<Relation> {
  const at = quoteTable(table);
  const [row] = await connection.query(`${relationQuery} and o.object_id = object_id(@p0)`, [at], at);
  if (row !== undefined) return relationOf(row);
  const [there] = await connection.query('select cast(object_id(@p0) as nvarchar(20)) as id', [at], at);
  if (typeof there?.id === 'string')
    throw new HuitongError('SOURCE_FORBIDDEN', 'this user may not read the table', { at });
  throw new HuitongError('TABLE_NOT_FOUND', 'the source has no table or view of this name', { at });
}

function relationOf(row: Row): Relation {
  return {
    id: Number(row.id),
    schema: String(row.schema_name),
    name: String(row.object_name),
    kind: row.is_external === 1 ? 'foreign' : (kinds[String(row.type)] ?? 'table'),
    ...(typeof row.row_estimate === 'string' ? { rows: Number(row.row_estimate) } : {}),
    ...(typeof row.comment === 'string' ? { comment: row.comment } : {}),
  };
}

/** Alias types are shown and read as what they stand for; `tp` is the type as declared, `bt` the system's. */
const columnQuery = (ids: number[]) => `
select cast(c.object_id as nvarchar(20)) as object_id, c.name, coalesce(bt.name, tp.name) as type_name,
       cast(c.max_length as int) as max_length, cast(c.precision as int) as precision, cast(c.scale as int) as scale,
       cast(c.is_nullable as int) as is_nullable,
       cast(case when bt.name is null and tp.is_user_defined = 1 then 1 else 0 end as int) as is_clr,
       case when c.encryption_type is null then 0 else 1 end as is_encrypted,
       cast(collationproperty(c.collation_name, 'CodePage') as int) as code_page,
       (select cast(e.value as nvarchar(max)) from sys.extended_properties e
         where e.class = 1 and e.major_id = c.object_id and e.minor_id = c.column_id and e.name = N'MS_Description')
         as comment
  from sys.columns c join sys.types tp on tp.user_type_id = c.user_type_id
  left join sys.types bt on bt.user_type_id = c.system_type_id
 where c.object_id in (${ids.join(', ')})
 order by c.object_id, c.column_id`;

export async function findColumns(connection: Connection, ids: number[]): Promise<Map<number, RelationColumn[]>> {
  const columns = new Map<number, RelationColumn[]>(ids.map((id) => [id, []]));
  const rows = await queryInChunks(connection, columnQuery, ids);
  for (const row of rows) columns.get(Number(row.object_id))?.push(columnOf(row));
  return columns;
}

function columnOf(row: Row): RelationColumn {
  const type: CatalogType = {
    name: String(row.type_name),
    length: Number(row.max_length),
    precision: Number(row.precision),
    scale: Number(row.scale),
    ...(typeof row.code_page === 'number' ? { codePage: row.code_page } : {}),
    isClr: row.is_clr === 1,
    isEncrypted: row.is_encrypted === 1,
  };
  return {
    name: String(row.name),
    type,
    sourceType: declarationOf(type),
    nullable: row.is_nullable === 1,
    ...(typeof row.comment === 'string' ? { comment: row.comment } : {}),
  };
}

function declarationOf({ name, length, precision, scale }: CatalogType): string {
  switch (name) {
    case 'decimal':
    case 'numeric':
      return `${name}(${precision},${scale})`;
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return `${name}(${scale})`;
    case 'nchar':
    case 'nvarchar':
      return `${name}(${length === -1 ? 'max' : length / 2})`;
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return `${name}(${length === -1 ? 'max' : length})`;
    default:
      return name;
  }
}

/** Column sets that a unique index keeps unique and not null, of the whole table; the primary key comes first. */
const keyQuery = (ids: number[]) => `
select cast(i.object_id as nvarchar(20)) as object_id, cast(i.index_id as int) as index_id,
       cast(i.is_primary_key as int) as is_primary_key, c.name, cast(c.is_nullable as int) as is_nullable
  from sys.indexes i
  join sys.index_columns k on k.object_id = i.object_id and k.index_id = i.index_id and k.is_included_column = 0
  join sys.columns c on c.object_id = k.object_id and c.column_id = k.column_id
 where i.is_unique = 1 and i.is_disabled = 0 and i.has_filter = 0 and i.is_hypothetical = 0 and k.key_ordinal > 0
   and i.object_id in (${ids.join(', ')})
 order by i.object_id, i.is_primary_key desc, i.index_id, k.key_ordinal`;

export async function findUniqueKeys(connection: Connection, ids: number[]): Promise<Map<number, UniqueKey[]>> {
  const indexes = new Map<string, Row[]>();
  for (const row of await queryInChunks(connection, keyQuery, ids)) {
    const index = `${row.object_id}/${row.index_id}`;
    indexes.set(index, [...(indexes.get(index) ?? []), row]);
  }
  const keys = new Map<number, UniqueKey[]>(ids.map((id) => [id, []]));
  for (const columns of indexes.values()) {
    if (columns.some((column) => column.is_nullable === 1)) continue;
    const key = { columns: columns.map((column) => String(column.name)), primary: columns[0]?.is_primary_key === 1 };
    keys.get(Number(columns[0]?.object_id))?.push(key);
  }
  return keys;
}

async function queryInChunks(connection: Connection, query: (ids: number[]) => string, ids: number[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (let at = 0; at < ids.length; at += TABLES_AT_A_TIME) {
    rows.push(...(await connection.query(query(ids.slice(at, at + TABLES_AT_A_TIME)))));
  }
  return rows;
}

export function quoteName(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

export function quoteTable(table: TableName): string {
  return table.schema === undefined ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`;
}
