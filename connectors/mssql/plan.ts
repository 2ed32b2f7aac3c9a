/** What is read of a table, and in which form. Reads no rows. */
import { HuitongError } from '../../lib/errors.ts';
import { keysWithin, type MappedColumn, mapColumns, plannedColumn } from '../columns.ts';
import type { PlannedColumn, TableName, TableRequest } from '../connector.ts';
import type { TablePlan } from '../define.ts';
import type { Connection } from './connection.ts';
import { windowCondition } from './cursor.ts';
import * as relations from './relation.ts';
import { quoteName, quoteTable, type Relation, type RelationColumn } from './relation.ts';
import { ColumnCollector } from './token-consumer.ts';
import { hasHundreds, type Mapping, types } from './types.ts';
import type { WireColumn } from './wire-types.ts';

/** A planned column's `mapping`: how it is read, and what the server's row description said of it. */
export interface MssqlMapping extends Mapping {
  /** Its place in the query; see `DecodedColumn`. */
  wire: number;
  typeInfo: string;
}

export interface ResolvedTable {
  relation: Relation;
  columns: PlannedColumn[];
}

type Mapped = MappedColumn<RelationColumn, Mapping>;

/** Name of the column with the seventh digit of a time. */
const HUNDREDS_SUFFIX = '__ns100';

export async function planTable(connection: Connection, request: TableRequest): Promise<TablePlan> {
  const { relation, columns } = await resolveTable(connection, request);
  const table = { schema: relation.schema, name: relation.name };
  const keys = (await relations.findUniqueKeys(connection, [relation.id])).get(relation.id) ?? [];
  return {
    table,
    columns,
    description: {
      format: 'tds',
      order: 'physical',
      kind: relation.kind,
      ...(await whereOf(connection, relation, request)),
    },
    uniqueKeys: keysWithin(
      keys.map((key) => key.columns),
      columns,
    ),
  };
}

/** The window as a condition in SQL, kept in the plan's description, where `read` finds it. */
export async function whereOf(
  connection: Connection,
  relation: Relation,
  { window }: TableRequest,
): Promise<{ where?: string }> {
  return window === undefined ? {} : { where: await windowCondition(connection, relation, window) };
}

/** Finds the table and maps its columns. Throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, TYPE_UNMAPPED, SOURCE_FORBIDDEN. */
export async function resolveTable(connection: Connection, request: TableRequest): Promise<ResolvedTable> {
  const relation = await relations.findRelation(connection, request.table);
  const at = quoteTable(relation);
  const all = (await relations.findColumns(connection, [relation.id])).get(relation.id) ?? [];
  const mapped = mapColumns(types, all, withoutHundreds(request, all), at, quoteName);
  const wire = await describe(connection, mapped, relation, at);
  const columns = mapped.flatMap(({ column, mapping }, i) => {
    const typeInfo = wire[i]?.typeInfo ?? '';
    const planned = plannedColumn<MssqlMapping>(column, { ...mapping, wire: i, typeInfo });
    return hasHundreds(mapping) ? [planned, hundredsColumn(planned)] : [planned];
  });
  assertDistinct(columns, at);
  return { relation, columns };
}

function hundredsColumn(time: PlannedColumn & { mapping: MssqlMapping }): PlannedColumn {
  const { wire, typeInfo } = time.mapping;
  const mapping: MssqlMapping = { codec: 'hundreds', cast: 'none', of: time.name, wire, typeInfo };
  return { ...time, name: `${time.name}${HUNDREDS_SUFFIX}`, mapping };
}

/** The name of a second column may be taken. */
function assertDistinct(columns: PlannedColumn[], at: string): void {
  const names = new Set<string>();
  for (const { name, sourceType } of columns) {
    if (names.has(name)) {
      throw new HuitongError('TYPE_UNMAPPED', `two columns would be called ${name} (${sourceType})`, {
        at,
        hint: 'Give the column of that type an override `text`, or leave one of the two out.',
      });
    }
    names.add(name);
  }
}

/** Whoever asks for a time's second column gets it with the time. */
function withoutHundreds(request: TableRequest, all: RelationColumn[]): Pick<TableRequest, 'columns' | 'overrides'> {
  const names = new Set(all.map(({ name }) => name));
  const isHundreds = (name: string) =>
    !names.has(name) && name.endsWith(HUNDREDS_SUFFIX) && names.has(name.slice(0, -HUNDREDS_SUFFIX.length));
  return { columns: request.columns?.filter((name) => !isHundreds(name)), overrides: request.overrides };
}

/** What the server says of the query's columns; this also proves the right to read them. */
async function describe(connection: Connection, mapped: Mapped[], table: TableName, at: string): Promise<WireColumn[]> {
  const collector = new ColumnCollector();
  const list = mapped.map(({ column, mapping }) => selectExpression(column.name, mapping));
  await connection.queryInto(`select ${list.join(', ')} from ${quoteTable(table)} where 1 = 0`, collector, at);
  return collector.columns;
}

/** The SELECT of the table, or of a window of it, without an order: sorting a big table fills tempdb. */
export function tableQuery(columns: PlannedColumn[], table: TableName, where?: unknown): string {
  const condition = typeof where === 'string' ? ` where ${where}` : '';
  return `select ${selectList(columns)} from ${quoteTable(table)}${condition}`;
}

/** The columns of a query, casts included; two columns that are decoded from one are there once. */
export function selectList(columns: PlannedColumn[]): string {
  const list = columns.flatMap((column) => {
    const mapping = mappingOfColumn(column);
    return mapping.codec === 'hundreds' ? [] : [selectExpression(column.name, mapping)];
  });
  return list.join(', ');
}

/** A plan's `mapping` is this connector's own plain data. */
export function mappingOfColumn(column: PlannedColumn): MssqlMapping {
  return column.mapping as MssqlMapping;
}

function selectExpression(name: string, mapping: Mapping): string {
  const column = quoteName(name);
  switch (mapping.cast) {
    case 'none':
      return column;
    case 'decimal':
      return `cast(${column} as decimal(${mapping.precision}, ${mapping.scale})) as ${column}`;
    case 'text':
      return `convert(nvarchar(max), ${column}, ${mapping.style ?? 0}) as ${column}`;
    case 'textual':
      return `cast(${column} as nvarchar(max)) as ${column}`;
    case 'method':
      return `${column}.ToString() as ${column}`;
    case 'wellKnownText':
      return `N'SRID=' + cast(${column}.STSrid as nvarchar(11)) + N';' + ${column}.AsTextZM() as ${column}`;
  }
}
