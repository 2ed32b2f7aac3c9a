/** The data dictionary (ALL_TABLES and its neighbours), which Dameng has under the same names. */
import { HuitongError } from '../lib/errors.ts';
import type { CatalogColumn } from './columns.ts';
import type { SourceTable, TableName } from './connector.ts';
import type { OraSession } from './ora-session.ts';
import type { OraType } from './ora-types.ts';

export interface OraRelation {
  schema: string;
  name: string;
  kind: 'table' | 'view';
  comment?: string;
  rowsEstimate?: number;
}

export type OraColumn = CatalogColumn<OraType>;

/** Names are quoted always: they keep their case and their signs. A name with a quote in it cannot exist in Oracle. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, name }: TableName): string {
  return schema === undefined ? quoteName(name) : `${quoteName(schema)}.${quoteName(name)}`;
}

const SYSTEM_OWNERS = `('SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'WMSYS', 'ORDSYS', 'OUTLN', 'DBSNMP', 'APPQOSSYS', 'AUDSYS', 'GSMADMIN_INTERNAL', 'OLAPSYS', 'DVSYS', 'LBACSYS', 'SYSAUDITOR', 'SYSSSO', 'SYSDBA')`;

/** Tables and views that the user may read; of one name where `table` is given. */
export async function findRelations(session: OraSession, table?: TableName): Promise<OraRelation[]> {
  const condition =
    table === undefined
      ? `o.owner not in ${SYSTEM_OWNERS}`
      : `o.object_name = :1 and o.owner = ${table.schema === undefined ? "sys_context('USERENV', 'CURRENT_SCHEMA')" : ':2'}`;
  const binds = table === undefined ? [] : table.schema === undefined ? [table.name] : [table.name, table.schema];
  const rows = await session.query(
    `select o.owner, o.object_name, o.object_type, c.comments, t.num_rows
       from all_objects o
       left join all_tab_comments c on c.owner = o.owner and c.table_name = o.object_name
       left join all_tables t on t.owner = o.owner and t.table_name = o.object_name
      where o.object_type in ('TABLE', 'VIEW') and ${condition}
      order by o.owner, o.object_name`,
    binds,
  );
  return rows.map(([schema, name, type, comment, estimate]) => ({
    schema: String(schema),
    name: String(name),
    kind: type === 'VIEW' ? 'view' : 'table',
    ...(comment === null ? {} : { comment: String(comment) }),
    ...(estimate === null ? {} : { rowsEstimate: Number(estimate) }),
  }));
}

/** Throws TABLE_NOT_FOUND: the dictionary does not show what the user may not read. */
export async function findRelation(session: OraSession, table: TableName): Promise<OraRelation> {
  const [relation] = await findRelations(session, table);
  if (relation !== undefined) return relation;
  throw new HuitongError(
    'TABLE_NOT_FOUND',
    'the source has no table or view of this name, or this user may not read it',
    {
      at: quoteTable(table),
      hint: 'Names keep their case: a table that was created without quotes is in capitals.',
    },
  );
}

/** Columns by table, in the source's order. */
export async function findColumns(session: OraSession, relation?: OraRelation): Promise<Map<string, OraColumn[]>> {
  const condition = relation === undefined ? `c.owner not in ${SYSTEM_OWNERS}` : 'c.owner = :1 and c.table_name = :2';
  const rows = await session.query(
    `select c.owner, c.table_name, c.column_name, c.data_type, c.data_precision, c.data_scale, c.data_length, c.nullable, m.comments
       from all_tab_columns c
       left join all_col_comments m on m.owner = c.owner and m.table_name = c.table_name and m.column_name = c.column_name
      where ${condition}
      order by c.owner, c.table_name, c.column_id`,
    relation === undefined ? [] : [relation.schema, relation.name],
  );
  const columns = new Map<string, OraColumn[]>();
  for (const row of rows) {
    const [schema, table] = [String(row[0]), String(row[1])];
    const key = quoteTable({ schema, name: table });
    columns.set(key, [...(columns.get(key) ?? []), columnOf(row)]);
  }
  return columns;
}

function columnOf(row: unknown[]): OraColumn {
  const [, , name, dataType, precision, scale, length, nullable, comment] = row;
  const type: OraType = {
    // `TIMESTAMP(6) WITH TIME ZONE`, `INTERVAL DAY(2) TO SECOND(6)`: the digits are not part of the name.
    name: String(dataType)
      .replaceAll(/\(\d+\)/g, '')
      .toUpperCase(),
    ...(precision === null ? {} : { precision: Number(precision) }),
    ...(scale === null ? {} : { scale: Number(scale) }),
  };
  return {
    name: String(name),
    type,
    sourceType: spelling(String(dataType), type, Number(length)),
    nullable: nullable !== 'N',
    ...(comment === null || comment === undefined ? {} : { comment: String(comment) }),
  };
}

function spelling(dataType: string, { name, precision, scale }: OraType, length: number): string {
  if (/^(NUMBER|NUMERIC|DEC|DECIMAL)$/.test(name)) {
    if (precision === undefined) return scale === undefined ? name : `${name}(*,${scale})`;
    return `${name}(${precision},${scale ?? 0})`;
  }
  return /^N?(VAR)?CHAR2?$|^RAW$|^(VAR)?BINARY$/.test(name) ? `${name}(${length})` : dataType;
}

/** Column sets that a constraint keeps unique and not null, primary keys first. */
export async function findKeys(
  session: OraSession,
  columns: Map<string, OraColumn[]>,
  relation?: OraRelation,
): Promise<Map<string, { primary: boolean; columns: string[] }[]>> {
  const condition = relation === undefined ? `k.owner not in ${SYSTEM_OWNERS}` : 'k.owner = :1 and k.table_name = :2';
  const rows = await session.query(
    `select k.owner, k.table_name, k.constraint_name, k.constraint_type, c.column_name
       from all_constraints k
       join all_cons_columns c on c.owner = k.owner and c.constraint_name = k.constraint_name
      where k.constraint_type in ('P', 'U') and k.status = 'ENABLED' and ${condition}
      order by k.owner, k.table_name, k.constraint_type, k.constraint_name, c.position`,
    relation === undefined ? [] : [relation.schema, relation.name],
  );
  const found = new Map<string, { table: string; primary: boolean; columns: string[] }>();
  for (const [schema, table, constraint, type, column] of rows) {
    const id = JSON.stringify([schema, constraint]);
    const key = found.get(id) ?? {
      table: quoteTable({ schema: String(schema), name: String(table) }),
      primary: type === 'P',
      columns: [],
    };
    key.columns.push(String(column));
    found.set(id, key);
  }
  const keys = new Map<string, { primary: boolean; columns: string[] }[]>();
  for (const { table, primary, columns: names } of found.values()) {
    const isNotNull = (name: string) => columns.get(table)?.find((column) => column.name === name)?.nullable === false;
    if (names.every(isNotNull)) keys.set(table, [...(keys.get(table) ?? []), { primary, columns: names }]);
  }
  return keys;
}

/** What `discover` shows of a relation, but for its columns' Arrow types. */
export function describeRelation(
  relation: OraRelation,
  keys: { primary: boolean; columns: string[] }[],
): Omit<SourceTable, 'columns'> {
  const { schema, name, kind, comment, rowsEstimate } = relation;
  return {
    schema,
    name,
    kind,
    primaryKey: keys.find(({ primary }) => primary)?.columns ?? [],
    uniqueKeys: keys.map(({ columns }) => columns),
    ...(rowsEstimate === undefined ? {} : { rowsEstimate }),
    ...(comment === undefined ? {} : { comment }),
  };
}
