/** What is read of a table, in which form, and in which pieces. Reads no rows. */
import { HuitongError } from '../../lib/errors.ts';
import type { PlannedColumn, PlanOptions, ReadPlan, TableName, TableRequest } from '../connector.ts';
import type { Connection } from './connection.ts';
import * as relations from './relation.ts';
import { quoteName, quoteTable, type Relation, type RelationColumn } from './relation.ts';
import { type CatalogType, type Mapping, mappingOf, overriddenMapping } from './types.ts';

/** Whole tables, or a range of a table's blocks: `fromBlock` on, below `toBlock`; absent bounds are open. */
export interface PostgresPartition {
  table: TableName;
  fromBlock?: number;
  toBlock?: number;
}

/** A planned column's `mapping`: how it is read, and what the server's row description said of it. */
export interface PostgresMapping extends Mapping {
  wireType: number;
  wireModifier: number;
}

/** A partition of fewer blocks costs more than it saves. */
const PARTITION_BLOCKS_MIN = 64;
/** Ranges of ctid are scanned since PostgreSQL 14; before, each would read the whole table. */
const TID_RANGE_VERSION = 140_000;

export interface ResolvedTable {
  relation: Relation;
  columns: PlannedColumn[];
}

export async function planTable(
  connection: Connection,
  request: TableRequest,
  options: PlanOptions,
  snapshotToken: string,
): Promise<ReadPlan<PostgresPartition>> {
  const { relation, columns } = await resolveTable(connection, request);
  const table = { schema: relation.schema, name: relation.name };
  const keys = (await relations.findUniqueKeys(connection, [relation.oid])).get(relation.oid) ?? [];
  const read = new Set(columns.map((column) => column.name));
  return {
    table,
    columns,
    partitions: await partitionsOf(connection, relation, options.partitions),
    guarantee: 'snapshot',
    snapshotToken,
    description: { format: 'copy-binary', order: 'physical', kind: relation.kind },
    uniqueKeys: keys.map((key) => key.columns).filter((key) => key.every((column) => read.has(column))),
  };
}

/** Finds the table and maps its columns. Throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, TYPE_UNMAPPED, SOURCE_FORBIDDEN. */
export async function resolveTable(connection: Connection, request: TableRequest): Promise<ResolvedTable> {
  const relation = await relations.findRelation(connection, request.table);
  const at = quoteTable(relation);
  const all = (await relations.findColumns(connection, [relation.oid])).get(relation.oid) ?? [];
  const wanted = chooseColumns(all, request, at);
  const types = await relations.findTypes(connection, [...new Set(wanted.map((column) => column.typeOid))]);
  const moneyScale = await relations.findMoneyScale(connection);
  const columns = mapColumns(wanted, types, moneyScale, request, at);
  // Holds the table against changes for as long as the snapshot lives, and proves the right to read it.
  const names = columns.map((column) => quoteName(column.name)).join(', ');
  const { fields } = await connection.describe(`select ${names} from ${at} limit 0`, [], at);
  return {
    relation,
    columns: columns.map(({ mapping, ...column }, i): PlannedColumn => {
      const wireType = fields[i]?.dataTypeID ?? 0;
      const described: PostgresMapping = { ...mapping, wireType, wireModifier: fields[i]?.dataTypeModifier ?? -1 };
      return { ...column, mapping: described };
    }),
  };
}

function chooseColumns(all: RelationColumn[], request: TableRequest, at: string): RelationColumn[] {
  const byName = new Map(all.map((column) => [column.name, column]));
  const named = [...(request.columns ?? []), ...Object.keys(request.overrides ?? {})];
  const unknown = [...new Set(named.filter((name) => !byName.has(name)))];
  if (unknown.length > 0) {
    throw new HuitongError('COLUMN_NOT_FOUND', `the table has no columns ${unknown.join(', ')}`, { at });
  }
  const chosen = request.columns === undefined ? all : [...new Set(request.columns)].map((name) => byName.get(name));
  return chosen.filter(
    (column) => column !== undefined && request.overrides?.[column.name]?.as !== 'skip',
  ) as RelationColumn[];
}

function mapColumns(
  columns: RelationColumn[],
  types: Map<number, CatalogType>,
  moneyScale: number,
  request: TableRequest,
  at: string,
): (PlannedColumn & { mapping: Mapping })[] {
  const refused: RelationColumn[] = [];
  const mapped = columns.flatMap((column) => {
    const mapping = mappingFor(column, types, moneyScale, request);
    if (mapping === undefined) {
      refused.push(column);
      return [];
    }
    const { name, sourceType, nullable, comment } = column;
    return [{ name, sourceType, nullable, ...(comment === undefined ? {} : { comment }), mapping }];
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

function mappingFor(
  column: RelationColumn,
  types: Map<number, CatalogType>,
  moneyScale: number,
  request: TableRequest,
): Mapping | undefined {
  const type = types.get(column.typeOid);
  if (type === undefined) return undefined;
  const natural = mappingOf(type, column.modifier, moneyScale);
  const wish = request.overrides?.[column.name];
  return wish === undefined ? natural : overriddenMapping(type, natural, wish);
}

async function partitionsOf(connection: Connection, relation: Relation, wanted: number): Promise<PostgresPartition[]> {
  const whole = [{ table: { schema: relation.schema, name: relation.name } }];
  if (wanted <= 1) return whole;
  const [row] = await connection.query(`select current_setting('server_version_num')::int as version`);
  const canScanRanges = Number(row?.version) >= TID_RANGE_VERSION;
  if (relation.kind !== 'partitioned') return canScanRanges ? splitBlocks(relation, wanted) : whole;
  // A policy on the parent would not apply to its leaves when they are read by themselves.
  const leaves = relation.rowSecurity ? undefined : await relations.findLeaves(connection, relation);
  if (leaves === undefined || leaves.length === 0) return whole;
  const blocks = leaves.reduce((sum, leaf) => sum + leaf.blocks, 0);
  return leaves.flatMap((leaf) => {
    const share = Math.max(1, Math.round((wanted * leaf.blocks) / Math.max(1, blocks)));
    return splitBlocks(leaf, canScanRanges ? share : 1);
  });
}

/** The last range is open: the table may have grown since its size was taken. */
export function splitBlocks(relation: Relation, wanted: number): PostgresPartition[] {
  const table = { schema: relation.schema, name: relation.name };
  const count = relation.hasHeap ? Math.min(wanted, Math.floor(relation.blocks / PARTITION_BLOCKS_MIN)) : 1;
  if (count <= 1) return [{ table }];
  const bound = (i: number) => Math.floor((relation.blocks * i) / count);
  return Array.from({ length: count }, (_, i) => ({
    table,
    ...(i === 0 ? {} : { fromBlock: bound(i) }),
    ...(i === count - 1 ? {} : { toBlock: bound(i + 1) }),
  }));
}

/** The SELECT of one partition, casts included. */
export function partitionQuery(columns: PlannedColumn[], partition: PostgresPartition): string {
  const list = columns.map((column) => castExpression(quoteName(column.name), mappingOfColumn(column))).join(', ');
  const bounds = [
    partition.fromBlock === undefined ? [] : [`ctid >= '(${partition.fromBlock},0)'`],
    partition.toBlock === undefined ? [] : [`ctid < '(${partition.toBlock},0)'`],
  ].flat();
  const where = bounds.length === 0 ? '' : ` where ${bounds.join(' and ')}`;
  return `select ${list} from ${quoteTable(partition.table)}${where}`;
}

/** A plan's `mapping` is this connector's own plain data. */
export function mappingOfColumn(column: PlannedColumn): PostgresMapping {
  return column.mapping as PostgresMapping;
}

function castExpression(column: string, mapping: Mapping): string {
  switch (mapping.cast) {
    case 'none':
      return column;
    case 'text':
      return `${column}::pg_catalog.text`;
    case 'texts':
      return `${column}::pg_catalog.text[]`;
    case 'output':
      return `pg_catalog.textin(pg_catalog.inet_out(${column}))`;
  }
}
