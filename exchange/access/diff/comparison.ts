/** Two versions under one grant, and their rows a bucket at a time. Memory is that of one bucket of each. */
import { rm } from 'node:fs/promises';
import type { RecordBatch, Schema } from 'apache-arrow';
import { keyColumns } from '../../../columnar/keys.ts';
import { makeScratch } from '../../../lib/scratch.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import { Buckets } from './buckets.ts';
import { alignBatch, type DiffColumns } from './columns.ts';
import { compareRows, type RowDifferences } from './compare.ts';

/** What is compared of one version, as the grant shows it. */
export interface Side {
  schema: Schema;
  /** That are read. */
  parts: ManifestPart[];
  batches(): AsyncIterable<RecordBatch>;
}

export interface Comparison {
  key: string[];
  columns: DiffColumns;
  before: Side;
  after: Side;
}

/** One bucket of both versions, and how they differ. */
export interface ComparedBucket extends RowDifferences {
  before: RecordBatch;
  after: RecordBatch;
}

/** Decoded bytes over stored ones, roughly; and the decoded bytes of a bucket. */
const EXPANSION = 6;
const BUCKET_BYTES = 64 * 1024 * 1024;
const BUCKETS_MAX = 128;

/** Bucket by bucket; `counts` gets, for each compared column, in how many rows it differs. */
export async function* comparedBuckets(comparison: Comparison, counts: Float64Array): AsyncGenerator<ComparedBucket> {
  const { before, after, columns } = comparison;
  const stored = [...before.parts, ...after.parts].reduce((sum, part) => sum + part.sizeBytes, 0);
  const count = Math.max(1, Math.min(BUCKETS_MAX, Math.ceil((stored * EXPANSION) / BUCKET_BYTES)));
  const key = keyColumns(columns.schema, comparison.key);
  const folder = await makeScratch('diff');
  const opened: Buckets[] = [];
  try {
    for (const [name, side] of Object.entries({ before, after })) {
      const buckets = await Buckets.create(folder, name, { schema: columns.schema, key, count });
      opened.push(buckets);
      for await (const batch of side.batches()) await buckets.add(alignBatch(batch, columns));
      await buckets.end();
    }
    for (let bucket = 0; bucket < count; bucket++) {
      const [earlier, later] = [await opened[0]!.read(bucket), await opened[1]!.read(bucket)];
      const { compared } = columns;
      yield { before: earlier, after: later, ...compareRows(earlier, later, { key, compared }, counts) };
    }
  } finally {
    for (const buckets of opened) await buckets.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is leased while it is read. */
export function digestsOf({ before, after }: Comparison): string[] {
  return [...new Set([...before.parts, ...after.parts].map(({ digest }) => digest))];
}
