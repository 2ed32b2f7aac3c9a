/** What is read of a table, in which form, and in which pieces. Reads no rows. */
import { keysWithin, mapColumns, plannedColumn } from '../columns.ts';
import type { PlannedColumn, PlanOptions, ReadPlan, TableName, TableRequest } from '../connector.ts';
import type { Connection } from './connection.ts';
import { cursorColumn, windowCondition } from './cursor.ts';
import * as relations from './relation.ts';
import { quoteName, quoteTable, type Relation } from './relation.ts';
import { type Mapping, types } from './types.ts';

/** Whole tables, or a range of a table's blocks: `fromBlock` on, below `toBlock`; absent bounds are open. */
export interface PostgresPartition {
  table: TableName;
  fromBlock?: number;
  toBlock?: number;
  /** A condition in SQL: see `windowCondition`. */
  where?: string;
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
  snapshotToken: string | undefined,
): Promise<ReadPlan<PostgresPartition>> {
  const { relation, columns } = await resolveTable(connection, request);
  const table = { schema: relation.schema, name: relation.name };
  const keys = (await relations.findUniqueKeys(connection, [relation.oid])).get(relation.oid) ?? [];
  return {
    table,
    columns,
    partitions: await windowedPartitions(connection, relation, request, options.partitions),
    ...(snapshotToken === undefined ? { guarantee: 'transaction' } : { guarantee: 'snapshot', snapshotToken }),
    description: { format: 'copy-binary', order: 'physical', kind: relation.kind },
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
  const all = (await relations.findColumns(connection, [relation.oid])).get(relation.oid) ?? [];
  const mapped = mapColumns(types, all, request, at, quoteName);
  // Holds the table against changes for as long as the snapshot lives, and proves the right to read it.
  const names = mapped.map(({ column }) => quoteName(column.name)).join(', ');
  const { fields } = await connection.describe(`select ${names} from ${at} limit 0`, [], at);
  return {
    relation,
    columns: mapped.map(({ column, mapping }, i) => {
      const wireType = fields[i]?.dataTypeID ?? 0;
      return plannedColumn<PostgresMapping>(column, {
        ...mapping,
        wireType,
        wireModifier: fields[i]?.dataTypeModifier ?? -1,
      });
    }),
  };
}

/** Behind a position few rows are expected, and an index on the cursor's column may find them: one partition. */
async function windowedPartitions(
  connection: Connection,
  relation: Relation,
  { window }: TableRequest,
  wanted: number,
): Promise<PostgresPartition[]> {
  if (window === undefined) return partitionsOf(connection, relation, wanted);
  const { type } = await cursorColumn(connection, relation, window.column);
  const where = windowCondition(window, type);
  const partitions = await partitionsOf(connection, relation, window.after === undefined ? wanted : 1);
  return partitions.map((partition) => ({ ...partition, where }));
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
    partition.where === undefined ? [] : [partition.where],
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
