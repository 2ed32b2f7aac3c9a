/** What is read of a far dataset, and in which pieces; the far version stands in the plan, for lineage across cities. */
import { keysWithin, mapColumns, plannedColumn } from '../columns.ts';
import type { PlanOptions, ReadPlan, TableRequest } from '../connector.ts';
import type { HuitongSnapshot, PinnedDataset } from './snapshot.ts';
import { columnsOf, types } from './types.ts';

/** Either some parts, in the manifest's order, or the whole as one stream. */
export interface HuitongPartition {
  dataset: string;
  version: number;
  /** Digests. */
  parts?: string[];
}

export async function plan(
  snapshot: HuitongSnapshot,
  request: TableRequest,
  options: PlanOptions,
): Promise<ReadPlan<HuitongPartition>> {
  const pinned = await snapshot.pin(request.table);
  const { dataset, version, schema, manifest, receipt } = pinned;
  const columns = mapColumns(types, columnsOf(schema, titlesOf(pinned)), request, dataset.code);
  const planned = columns.map(({ column, mapping }) => plannedColumn(column, mapping));
  return {
    table: { name: dataset.code },
    columns: planned,
    partitions: partitionsOf(pinned, options.partitions),
    // Ours can promise no more than theirs did.
    guarantee: version.guarantee,
    snapshotToken: String(version.version),
    description: {
      format: manifest === undefined ? 'arrow-stream' : 'arrow-parts',
      order: 'as published',
      far: {
        exchange: snapshot.far.base.href,
        dataset: dataset.code,
        version: version.version,
        manifestDigest: version.manifestDigest,
        contractVersion: version.contractVersion,
        contractDigest: version.contractDigest,
        snapshotAt: version.snapshotAt,
        publishedAt: version.publishedAt,
        ...(receipt === undefined ? {} : { receipt }),
      },
    },
    // A masked key, or one of some rows, is still one: but only the whole version was checked.
    uniqueKeys: manifest === undefined ? [] : keysWithin([dataset.key], planned),
  };
}

/** Chinese first, as the far catalog has it. */
export function titlesOf({ dataset }: Pick<PinnedDataset, 'dataset'>): Map<string, string> {
  return new Map(dataset.items.flatMap(({ name, title }) => (title === undefined ? [] : [[name, title.zh] as const])));
}

function partitionsOf({ dataset, version, manifest }: PinnedDataset, wanted: number): HuitongPartition[] {
  const whole = { dataset: dataset.code, version: version.version };
  const parts = manifest?.segments.flatMap((segment) => segment.parts.map(({ digest }) => digest));
  if (parts === undefined) return [whole];
  const count = Math.max(1, Math.min(wanted, parts.length));
  const bound = (i: number) => Math.floor((parts.length * i) / count);
  return Array.from({ length: count }, (_, i) => ({ ...whole, parts: parts.slice(bound(i), bound(i + 1)) }));
}
