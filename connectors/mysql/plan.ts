/** What is read of a table, and in which form. Reads no rows. */
import { keysWithin, mapColumns, plannedColumn } from '../columns.ts';
import type { CursorWindow, PlannedColumn, ReadPlan, TableName, TableRequest } from '../connector.ts';
import type { Connection } from './connection.ts';
import { windowCondition } from './cursor.ts';
import * as relations from './relation.ts';
import { quoteName, quoteTable, type Relation } from './relation.ts';
import { type Mapping, types } from './types.ts';

/** The whole table, or those of its rows that lie in a window: a state belongs to one connection. */
export interface MysqlPartition {
  table: TableName;
  /** A condition in SQL; see `windowCondition`. */
  where?: string;
}

/** A planned column's `mapping`: how it is read, and what the server's definition said of it. */
export interface MysqlMapping extends Mapping {
  typeInfo: string;
}

export interface ResolvedTable {
  relation: Relation;
  columns: PlannedColumn[];
  where: string | undefined;
}

export async function planTable(connection: Connection, request: TableRequest): Promise<ReadPlan<MysqlPartition>> {
  const { relation, columns, where } = await resolveTable(connection, request);
  const { schema, name, kind } = relation;
  const table = { schema, name };
  const keys = (await relations.findUniqueKeys(connection, schema, name)).get(name) ?? [];
  const isTransactional = await relations.isTransactional(connection, relation);
  return {
    table,
    columns,
    partitions: [{ table, ...(where === undefined ? {} : { where }) }],
    guarantee: isTransactional ? 'transaction' : 'none',
    description: { format: 'prepared-binary', order: 'physical', kind, ...(where === undefined ? {} : { where }) },
    uniqueKeys: keysWithin(
      keys.map((key) => key.columns),
      columns,
    ),
  };
}

/** Finds the table and maps its columns. Throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, TYPE_UNMAPPED, SOURCE_FORBIDDEN. */
export async function resolveTable(connection: Connection, request: TableRequest): Promise<ResolvedTable> {
  const relation = await relations.findRelation(connection, request.table);
  const at = quoteTable(relation);
  const all = (await relations.findColumns(connection, relation.schema, relation.name)).get(relation.name) ?? [];
  const mapped = mapColumns(types, all, request, at, quoteName);
  const where = request.window && conditionOf(request.window, all, at);
  const list = mapped.map(({ column, mapping }) => selectExpression(column.name, mapping));
  // Preparing it proves the right to read, and takes no lock that would make the source's own changes wait.
  const wire = await connection.describe(selectStatement(list, relation, where), at);
  const columns = mapped.map(({ column, mapping }, i) =>
    plannedColumn<MysqlMapping>(column, { ...mapping, typeInfo: wire[i]?.typeInfo ?? '' }),
  );
  return { relation, columns, where };
}

function conditionOf(window: CursorWindow, columns: relations.RelationColumn[], at: string): string {
  return windowCondition(window, relations.columnNamed(columns, window.column, at), at);
}

/** The SELECT of one partition, without an order: sorting a big table costs the source more than reading it. */
export function partitionQuery(columns: PlannedColumn[], { table, where }: MysqlPartition): string {
  const list = columns.map((column) => selectExpression(column.name, mappingOfColumn(column)));
  return selectStatement(list, table, where);
}

export function selectStatement(list: string[], table: TableName, where: string | undefined): string {
  return `select ${list.join(', ')} from ${quoteTable(table)}${where === undefined ? '' : ` where ${where}`}`;
}

/** A plan's `mapping` is this connector's own plain data. */
export function mappingOfColumn(column: PlannedColumn): MysqlMapping {
  return column.mapping as MysqlMapping;
}

function selectExpression(name: string, mapping: Mapping): string {
  const column = quoteName(name);
  switch (mapping.cast) {
    case 'none':
      return mapping.charset === undefined ? column : `${convertedText(column)} as ${column}`;
    case 'text':
      return `cast(${column} as char) as ${column}`;
    case 'decimal':
      return `cast(${column} as decimal(${mapping.precision}, ${mapping.scale})) as ${column}`;
    case 'number':
      return `cast(${column} + 0 as char) as ${column}`;
    case 'hex':
      return `hex(${column}) as ${column}`;
    case 'wellKnownText':
      return `concat('SRID=', st_srid(${column}), ';', st_astext(${column})) as ${column}`;
  }
}

/**
 * Text of a character set that is not UTF-8, converted by the server, as bytes. Where a byte has no character the
 * server silently writes a question mark: then there are more of them than before, and the cell becomes the byte FF,
 * which is no text, so that the reader reports it.
 */
function convertedText(column: string): string {
  const converted = `convert(${column} using utf8mb4)`;
  const rest = (text: string) => `char_length(replace(${text}, '?', ''))`;
  const cell = `convert(${converted} using binary)`;
  return `case when ${column} is null then null when ${rest(column)} = ${rest(converted)} then ${cell} else x'FF' end`;
}
