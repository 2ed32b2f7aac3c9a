/** Which columns of which files: files by their ids, since their URLs are secrets that end within the hour. */
import { HuitongError } from '../../lib/errors.ts';
import { mapColumns, plannedColumn } from '../columns.ts';
import type { PlanOptions, ReadPlan, TableRequest } from '../connector.ts';
import { nameOf, type SharedFile, type SharedTable } from './sharing.ts';
import type { DeltaSharingSnapshot, PinnedTable } from './snapshot.ts';
import { columnsOf, type DeltaMapping, types } from './types.ts';

export interface DeltaSharingPartition {
  table: SharedTable;
  version: number;
  files: string[];
}

/** A planned column's `mapping`. */
export interface DeltaColumn extends DeltaMapping {
  /** Its values stand beside the files, not in them. */
  partition: boolean;
}

export async function plan(
  snapshot: DeltaSharingSnapshot,
  request: TableRequest,
  options: PlanOptions,
): Promise<ReadPlan<DeltaSharingPartition>> {
  const pinned = await snapshot.pin(request.table);
  const { table, version, metadata, files } = pinned;
  const partitioned = new Set(metadata.partitionColumns);
  const columns = mapColumns(types, columnsOf(metadata.fields), request, nameOf(table));
  const binary = columns.find(({ column, mapping }) => partitioned.has(column.name) && mapping.type === 'binary');
  if (binary !== undefined) {
    throw new HuitongError('TYPE_UNMAPPED', `a partition column cannot be binary: ${binary.column.name}`, {
      at: nameOf(table),
    });
  }
  return {
    table: { schema: `${table.share}.${table.schema}`, name: table.name },
    columns: columns.map(({ column, mapping }) =>
      plannedColumn(column, { ...mapping, partition: partitioned.has(column.name) } satisfies DeltaColumn),
    ),
    partitions: partitionsOf(pinned, options.partitions),
    guarantee: 'snapshot',
    snapshotToken: String(version),
    description: {
      format: 'parquet',
      order: 'as shared',
      server: snapshot.server.endpoint.href,
      share: table.share,
      version,
      files: files.length,
    },
    // Delta keeps nothing unique.
    uniqueKeys: [],
  };
}

/** Files in the server's order, in groups of about the same size. */
function partitionsOf({ table, version, files }: PinnedTable, wanted: number): DeltaSharingPartition[] {
  const count = Math.max(1, Math.min(wanted, files.length));
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const groups: SharedFile[][] = Array.from({ length: count }, () => []);
  let before = 0;
  files.forEach((file, i) => {
    // Each group gets at least one file: the last ones are kept for those that have none yet.
    const bySize = Math.floor((before * count) / Math.max(1, total));
    const place = Math.max(Math.min(bySize, i, count - 1), count - (files.length - i));
    groups[place]?.push(file);
    before += file.size;
  });
  return groups.map((group) => ({ table, version, files: group.map(({ id }) => id) }));
}
