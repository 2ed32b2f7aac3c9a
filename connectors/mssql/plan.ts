/** What is read of a table, and in which form. Reads no rows. */
import { HuitongError } from '../../lib/errors.ts';
import type { PlannedColumn, ReadPlan, SnapshotGuarantee, TableName, TableRequest } from '../connector.ts';
import type { Connection } from './connection.ts';
import * as relations from './relation.ts';
import { quoteName, quoteTable, type Relation, type RelationColumn } from './relation.ts';
import { ColumnCollector } from './token-consumer.ts';
import { hasHundreds, type Mapping, mappingOf, overriddenMapping } from './types.ts';
import type { WireColumn } from './wire-types.ts';

/** Always the whole table: a snapshot belongs to one connection. */
export interface MssqlPartition {
  table: TableName;
}

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

interface Mapped {
  column: RelationColumn;
  mapping: Mapping;
}

/** Name of the column with the seventh digit of a time. */
const HUNDREDS_SUFFIX = '__ns100';

export async function planTable(
  connection: Connection,
  request: TableRequest,
  guarantee: SnapshotGuarantee,
): Promise<ReadPlan<MssqlPartition>> {
  const { relation, columns } = await resolveTable(connection, request);
  const table = { schema: relation.schema, name: relation.name };
  const keys = (await relations.findUniqueKeys(connection, [relation.id])).get(relation.id) ?? [];
  const read = new Set(columns.map((column) => column.name));
  return {
    table,
    columns,
    partitions: [{ table }],
    guarantee,
    description: { format: 'tds', order: 'physical', kind: relation.kind },
    uniqueKeys: keys.map((key) => key.columns).filter((key) => key.every((column) => read.has(column))),
  };
}

/** Finds the table and maps its columns. Throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, TYPE_UNMAPPED, SOURCE_FORBIDDEN. */
export async function resolveTable(connection: Connection, request: TableRequest): Promise<ResolvedTable> {
  const relation = await relations.findRelation(connection, request.table);
  const at = quoteTable(relation);
  const all = (await relations.findColumns(connection, [relation.id])).get(relation.id) ?? [];
  const mapped = mapColumns(chooseColumns(all, request, at), request, at);
  const wire = await describe(connection, mapped, relation, at);
  const columns = mapped.flatMap(({ column, mapping }, i) => {
    const { name, sourceType, nullable, comment } = column;
    const typeInfo = wire[i]?.typeInfo ?? '';
    const base = { sourceType, nullable, ...(comment === undefined ? {} : { comment }) };
    const planned: PlannedColumn[] = [{ name, ...base, mapping: { ...mapping, wire: i, typeInfo } }];
    if (hasHundreds(mapping)) planned.push(hundredsColumn(name, base, i, typeInfo));
    return planned;
  });
  assertDistinct(columns, at);
  return { relation, columns };
}

function hundredsColumn(of: string, base: Omit<PlannedColumn, 'name'>, wire: number, typeInfo: string): PlannedColumn {
  const mapping: MssqlMapping = { codec: 'hundreds', cast: 'none', of, wire, typeInfo };
  return { name: `${of}${HUNDREDS_SUFFIX}`, ...base, mapping };
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

function chooseColumns(all: RelationColumn[], request: TableRequest, at: string): RelationColumn[] {
  const byName = new Map(all.map((column) => [column.name, column]));
  const wanted = request.columns?.filter((name) => !isHundredsOf(name, byName));
  const named = [...(wanted ?? []), ...Object.keys(request.overrides ?? {})];
  const unknown = [...new Set(named.filter((name) => !byName.has(name)))];
  if (unknown.length > 0) {
    throw new HuitongError('COLUMN_NOT_FOUND', `the table has no columns ${unknown.join(', ')}`, { at });
  }
  const chosen = wanted === undefined ? all : [...new Set(wanted)].flatMap((name) => byName.get(name) ?? []);
  return chosen.filter((column) => request.overrides?.[column.name]?.as !== 'skip');
}

/** Whoever asks for a time's second column gets it with the time. */
function isHundredsOf(name: string, byName: Map<string, RelationColumn>): boolean {
  return !byName.has(name) && name.endsWith(HUNDREDS_SUFFIX) && byName.has(name.slice(0, -HUNDREDS_SUFFIX.length));
}

function mapColumns(columns: RelationColumn[], request: TableRequest, at: string): Mapped[] {
  const refused: RelationColumn[] = [];
  const mapped = columns.flatMap((column) => {
    const natural = mappingOf(column.type);
    const wish = request.overrides?.[column.name];
    const mapping = wish === undefined ? natural : overriddenMapping(column.type, natural, wish);
    if (mapping === undefined) refused.push(column);
    return mapping === undefined ? [] : [{ column, mapping }];
  });
  if (refused.length > 0) {
    const names = refused.map((column) => `${column.name} (${column.sourceType})`).join(', ');
    throw new HuitongError('TYPE_UNMAPPED', `columns whose type is not mapped, or not as asked for: ${names}`, {
      at,
      problems: refused.map((column) => ({
        code: 'TYPE_UNMAPPED',
        message: `${column.name}: ${column.sourceType}`,
        at: `${at}.${quoteName(column.name)}`,
      })),
    });
  }
  return mapped;
}

/** What the server says of the query's columns; this also proves the right to read them. */
async function describe(connection: Connection, mapped: Mapped[], table: TableName, at: string): Promise<WireColumn[]> {
  const collector = new ColumnCollector();
  const list = mapped.map(({ column, mapping }) => selectExpression(column.name, mapping));
  await connection.queryInto(`select ${list.join(', ')} from ${quoteTable(table)} where 1 = 0`, collector, at);
  return collector.columns;
}

/** The SELECT of the whole table, without an order: sorting a big table fills tempdb. */
export function tableQuery(columns: PlannedColumn[], table: TableName): string {
  const list = columns.flatMap((column) => {
    const mapping = mappingOfColumn(column);
    return mapping.codec === 'hundreds' ? [] : [selectExpression(column.name, mapping)];
  });
  return `select ${list.join(', ')} from ${quoteTable(table)}`;
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
