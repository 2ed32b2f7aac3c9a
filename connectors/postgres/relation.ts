/** What the catalog says of one table: its columns and their types, where its rows are, what keeps them unique. */
import { HuitongError } from '../../lib/errors.ts';
import type { CatalogColumn } from '../columns.ts';
import type { TableName } from '../connector.ts';
import type { Connection, Row } from './connection.ts';
import type { CatalogType, ColumnType } from './types.ts';

export interface Relation {
  oid: number;
  schema: string;
  name: string;
  kind: 'table' | 'view' | 'partitioned' | 'foreign';
  /** Rows have a ctid whose ranges the server can scan. */
  hasHeap: boolean;
  rowSecurity: boolean;
  blocks: number;
}

export type RelationColumn = CatalogColumn<ColumnType>;

const kinds: Record<string, Relation['kind']> = { r: 'table', v: 'view', m: 'table', p: 'partitioned', f: 'foreign' };

/** Columns of pg_class `c` that make a `Relation`; see `relationOf`. */
const relationFields = `c.oid::int8::text as oid, n.nspname, c.relname, c.relkind, c.relrowsecurity,
  c.relkind in ('r', 'm') and coalesce(am.amname = 'heap', false) as has_heap,
  case when c.relkind in ('r', 'm')
    then coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int8 else 0 end as blocks`;
const relationSource = `pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am am on am.oid = c.relam`;

/** Throws TABLE_NOT_FOUND. Without a schema the first one on the search path that has the table counts. */
export async function findRelation(connection: Connection, table: TableName): Promise<Relation> {
  const at = quoteTable(table);
  const [row] = await connection.query(
    `select ${relationFields} from ${relationSource}
      where c.relname = $1 and c.relkind in ('r', 'v', 'm', 'p', 'f')
        and case when $2::text is null then n.nspname = any(current_schemas(false)) else n.nspname = $2 end
      order by array_position(current_schemas(false), n.nspname) limit 1`,
    [table.name, table.schema ?? null],
    at,
  );
  if (!row) throw new HuitongError('TABLE_NOT_FOUND', 'the source has no table or view of this name', { at });
  return relationOf(row);
}

/** The leaves of a partitioned table, in a stable order; undefined where this user must not read them by themselves. */
export async function findLeaves(connection: Connection, parent: Relation): Promise<Relation[] | undefined> {
  const rows = await connection.query(
    `select ${relationFields}, has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage') as allowed
       from pg_partition_tree($1::oid) t join ${relationSource} on c.oid = t.relid
      where t.isleaf and c.relkind <> 'p' order by n.nspname collate "C", c.relname collate "C"`,
    [parent.oid],
  );
  return rows.every((row) => row.allowed === true) ? rows.map(relationOf) : undefined;
}

function relationOf(row: Row): Relation {
  return {
    oid: Number(row.oid),
    schema: String(row.nspname),
    name: String(row.relname),
    kind: kinds[String(row.relkind)] ?? 'table',
    hasHeap: row.has_heap === true,
    rowSecurity: row.relrowsecurity === true,
    blocks: Number(row.blocks),
  };
}

/** In PostgreSQL 18 a NOT NULL that was never validated leaves attnotnull set. */
const nullable = `not a.attnotnull or exists (select from pg_constraint k
  where k.conrelid = a.attrelid and k.contype = 'n' and not k.convalidated and k.conkey[1] = a.attnum)`;

export async function findColumns(connection: Connection, oids: number[]): Promise<Map<number, RelationColumn[]>> {
  const rows = await connection.query(
    `select a.attrelid::int8::text as relation, a.attname, a.atttypid::int8::text as type_oid, a.atttypmod,
            format_type(a.atttypid, a.atttypmod) as source_type, ${nullable} as nullable,
            col_description(a.attrelid, a.attnum) as comment
       from pg_attribute a where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
      order by a.attrelid, a.attnum`,
    [oids],
  );
  const types = await findTypes(connection, [...new Set(rows.map((row) => Number(row.type_oid)))]);
  const moneyScale = await findMoneyScale(connection);
  const columns = new Map<number, RelationColumn[]>(oids.map((oid) => [oid, []]));
  for (const row of rows) {
    columns.get(Number(row.relation))?.push({
      name: String(row.attname),
      type: { catalog: types.get(Number(row.type_oid)), modifier: Number(row.atttypmod), moneyScale },
      sourceType: String(row.source_type),
      nullable: row.nullable === true,
      ...(row.comment === null ? {} : { comment: String(row.comment) }),
    });
  }
  return columns;
}

export interface UniqueKey {
  columns: string[];
  primary: boolean;
}

/**
 * Column sets that a unique index keeps unique and not null at every moment: valid, immediate, of the whole table, of
 * plain columns. The primary key comes first. A table that others inherit from (in the old manner, not partitions) has
 * none: its indexes do not speak for their rows.
 */
export async function findUniqueKeys(connection: Connection, oids: number[]): Promise<Map<number, UniqueKey[]>> {
  const rows = await connection.query(
    `select i.indrelid::int8::text as relation, i.indisprimary, k.columns
       from pg_index i join pg_class c on c.oid = i.indrelid cross join lateral (
         select array_agg(a.attname::text order by p.n) as columns, bool_and(not (${nullable})) as all_not_null,
                count(*) as found
           from unnest(i.indkey::int2[]) with ordinality p(attnum, n)
           join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum
          where p.n <= i.indnkeyatts and p.attnum > 0) k
      where i.indrelid = any($1::oid[]) and i.indisunique and i.indisvalid and i.indisready and i.indislive
        and i.indimmediate and i.indpred is null and i.indexprs is null and k.found = i.indnkeyatts and k.all_not_null
        and not (c.relkind = 'r' and exists (select from pg_inherits h where h.inhparent = c.oid))
      order by i.indrelid, not i.indisprimary, i.indexrelid`,
    [oids],
  );
  const keys = new Map<number, UniqueKey[]>(oids.map((oid) => [oid, []]));
  for (const row of rows) {
    const columns = (row.columns as string[]).slice();
    keys.get(Number(row.relation))?.push({ columns, primary: row.indisprimary === true });
  }
  return keys;
}

const typeKinds: Record<string, CatalogType['kind']> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'multirange',
  p: 'pseudo',
  r: 'range',
};

/** The types with these oids, with what domains and arrays are made of. */
async function findTypes(connection: Connection, oids: number[]): Promise<Map<number, CatalogType>> {
  const rows = await connection.query(
    `with recursive needed(oid) as (
       select unnest($1::oid[])
       union
       select case when t.typtype = 'd' then t.typbasetype else t.typelem end
         from needed join pg_type t on t.oid = needed.oid where t.typtype = 'd' or t.typelem <> 0)
     select t.oid::int8::text as oid, t.typname, n.nspname, t.typtype, t.typbasetype::int8::text as base, t.typtypmod,
            (select e.oid::int8::text from pg_type e where e.oid = t.typelem and e.typarray = t.oid) as element
       from needed join pg_type t on t.oid = needed.oid join pg_namespace n on n.oid = t.typnamespace`,
    [oids],
  );
  const byOid = new Map(rows.map((row) => [String(row.oid), row]));
  const typeOf = (oid: string): CatalogType | undefined => {
    const row = byOid.get(oid);
    if (!row) return undefined;
    const base = row.typtype === 'd' ? typeOf(String(row.base)) : undefined;
    const element = row.element === null ? undefined : typeOf(String(row.element));
    return {
      name: String(row.typname),
      builtIn: row.nspname === 'pg_catalog',
      kind: typeKinds[String(row.typtype)] ?? 'pseudo',
      ...(base ? { base: { type: base, modifier: Number(row.typtypmod) } } : {}),
      ...(element ? { element } : {}),
    };
  };
  const types = new Map<number, CatalogType>();
  for (const oid of oids) {
    const type = typeOf(String(oid));
    if (type) types.set(oid, type);
  }
  return types;
}

/** Digits after the point of `money`: the database's lc_monetary decides. */
async function findMoneyScale(connection: Connection): Promise<number> {
  const [row] = await connection.query('select scale(1::money::numeric) as scale');
  return Number(row?.scale);
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable(table: TableName): string {
  return table.schema === undefined ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`;
}
