/**
 * Copy-on-write buckets: what was read is merged with the version before, bucket by bucket, and only buckets whose rows
 * really differ are written; the others keep their digest. One bucket is in memory at a time, in columns.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import { concatBatches, gatherRows, type Picks } from '../../columnar/gather.ts';
import { keyColumns } from '../../columnar/keys.ts';
import { readAtOf, readBatches } from '../../columnar/read.ts';
import { batchBytes } from '../../columnar/size.ts';
import { ColumnSums } from '../../columnar/sums.ts';
import { BodyBuffers } from '../../columnar/write.ts';
import { HuitongError } from '../../lib/errors.ts';
import { groupBy } from '../../lib/group-by.ts';
import { limits } from '../../lib/limits.ts';
import type { ReportedPart } from '../../schemas/generated/run-report.ts';
import { PartSink } from '../part-sink.ts';
import { quarantineBatch, quarantineSchema } from '../quarantine.ts';
import type { StagingSession } from '../staging.ts';
import { lastHighOf } from './buckets.ts';
import { type BucketCounts, type BucketMerge, mergeBucket } from './merge-bucket.ts';
import type { PrivateFile } from './private-file.ts';
import { placeOf, RunReader, runColumns } from './row-runs.ts';

/** Plain data: it crosses threads. */
export interface MergeTask {
  kind: 'merge';
  runs: PrivateFile[];
  /** How many buckets; those of `base`, where there is one. */
  buckets: number;
  base?: { parts: ReportedPart[]; sums: Record<string, string> };
  full: boolean;
  rows: BucketMerge['kind'];
}

export interface MergeResult {
  /** Of the whole version, by bucket. */
  parts: ReportedPart[];
  /** Duplicates, sealed. */
  quarantine: ReportedPart[];
  duplicates: number;
  counts: BucketCounts;
  /** Of the whole version. */
  sums: Record<string, string>;
  stale: number;
}

export interface MergeContext {
  schema: Schema;
  key: string[];
  session: StagingSession;
  quarantineKey: string;
  signal: AbortSignal;
}

/** @throws HuitongError TOLERANCE_EXCEEDED where more keys are out of date than a version may list; CANCELLED, FENCED */
export async function mergeBuckets(context: MergeContext, task: MergeTask): Promise<MergeResult> {
  const reader = await RunReader.open(context.schema, task.runs);
  const merging = new Merging(context, task);
  try {
    for (let bucket = 0; bucket < task.buckets; bucket++) {
      context.signal.throwIfAborted();
      await merging.add(bucket, await reader.takeUpTo(lastHighOf(bucket, task.buckets)));
    }
    return await merging.end();
  } catch (e) {
    await merging.abort();
    throw e;
  } finally {
    await reader.close();
  }
}

class Merging {
  private readonly context: MergeContext;
  private readonly task: MergeTask;
  private readonly keyColumns: number[];
  private readonly base: Map<number, ReportedPart>;
  private readonly buffers = new BodyBuffers();
  private readonly quarantine: PartSink;
  private readonly sums: ColumnSums;
  private readonly result: MergeResult;

  constructor(context: MergeContext, task: MergeTask) {
    const { schema, session, quarantineKey } = context;
    this.context = context;
    this.task = task;
    this.keyColumns = keyColumns(schema, context.key);
    this.base = new Map((task.base?.parts ?? []).map((part) => [part.bucket!, part]));
    this.quarantine = new PartSink({
      session,
      schema: quarantineSchema(schema),
      partition: 0,
      sealTo: quarantineKey,
    });
    this.sums = new ColumnSums(schema);
    this.sums.merge(task.base?.sums ?? {});
    this.result = {
      parts: [],
      quarantine: [],
      duplicates: 0,
      counts: { inserted: 0, updated: 0, unchanged: 0, deleted: 0, vanished: 0 },
      sums: {},
      stale: 0,
    };
  }

  async add(bucket: number, read: RecordBatch): Promise<void> {
    const part = this.base.get(bucket);
    if (read.numRows === 0 && !this.task.full) {
      if (part !== undefined) this.push(part);
      return;
    }
    const { schema } = this.context;
    const before = part === undefined ? gatherRows(schema, [], NOTHING) : await this.readPart(part);
    const { full, rows: kind } = this.task;
    const staleBefore = new Set(part?.stale ?? []);
    const merged = mergeBucket({ schema, keyColumns: this.keyColumns, before, staleBefore, read, full, kind });
    for (const name of Object.keys(merged.counts) as (keyof BucketCounts)[]) {
      this.result.counts[name] += merged.counts[name];
    }
    await this.setAside(read, merged.duplicates);
    const { stale } = merged;
    const flagged = (one: ReportedPart): ReportedPart => {
      const { stale: _, ...rest } = one;
      return stale.length === 0 ? rest : { ...rest, stale };
    };
    if (part !== undefined && !merged.changed) this.push(flagged(part));
    else {
      const written = await this.write([before, read], merged.picks);
      this.sums.subtract(sumsOf(before));
      if (written !== undefined) this.push(flagged({ ...written, bucket }));
    }
  }

  async end(): Promise<MergeResult> {
    return { ...this.result, quarantine: await this.quarantine.end(), sums: this.sums.toText() };
  }

  async abort(): Promise<void> {
    await this.quarantine.abort();
  }

  private push(part: ReportedPart): void {
    const { partition: _, ...kept } = part;
    this.result.parts.push(kept);
    this.result.stale += part.stale?.length ?? 0;
    if (this.result.stale > limits.staleKeysMax) {
      throw new HuitongError('TOLERANCE_EXCEEDED', `more than ${limits.staleKeysMax} keys would be out of date`);
    }
  }

  private async readPart(part: ReportedPart): Promise<RecordBatch> {
    const bytes = await this.context.session.readObject(part.digest);
    const batches: RecordBatch[] = [];
    for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) batches.push(batch);
    return concatBatches(this.context.schema, batches);
  }

  /** One bucket is one part, cut into batches by its rows alone. No rows: no part. */
  private async write(batches: RecordBatch[], picks: Picks): Promise<ReportedPart | undefined> {
    const { schema, session } = this.context;
    const whole = { partRowsMax: Number.MAX_SAFE_INTEGER, partBytesMax: Number.MAX_SAFE_INTEGER };
    const sink = new PartSink({ session, schema, partition: 0, buffers: this.buffers, ...whole });
    try {
      for (let start = 0; start < picks.length; start += limits.batchRowsMax) {
        const end = Math.min(start + limits.batchRowsMax, picks.length);
        for (const batch of cut(schema, batches, picks, start, end)) {
          this.sums.add(batch);
          await sink.write(batch);
        }
      }
      return (await sink.end())[0];
    } catch (e) {
      await sink.abort();
      throw e;
    }
  }

  /** Rows whose key an earlier row has go to quarantine. */
  private async setAside(read: RecordBatch, duplicates: number[]): Promise<void> {
    if (duplicates.length === 0) return;
    const { order } = runColumns(read);
    const { schema } = this.context;
    const batch = plainRows(schema, read);
    for (const [partition, rows] of groupBy(duplicates, (row) => placeOf(order[row]!).partition)) {
      const mask = new Uint8Array(read.numRows);
      for (const row of rows) mask[row] = 1;
      const errors = rows.map((row) => ({ row, pointer: '', code: 'DUPLICATE_KEY' }));
      const ordinalOf = (row: number) => placeOf(order[row]!).ordinal;
      const { keyColumns } = this;
      await this.quarantine.write(quarantineBatch({ batch, mask, errors, partition, ordinalOf, keyColumns }).batch);
    }
    this.result.duplicates += duplicates.length;
  }
}

const NOTHING: Picks = { batch: new Uint32Array(0), row: new Uint32Array(0), length: 0 };

/** Halved until a piece is small enough, so that where it is cut depends on nothing but the rows. */
function* cut(
  schema: Schema,
  batches: RecordBatch[],
  picks: Picks,
  start: number,
  end: number,
): Generator<RecordBatch> {
  const piece = { batch: picks.batch.subarray(start, end), row: picks.row.subarray(start, end), length: end - start };
  const batch = gatherRows(schema, batches, piece);
  if (end - start === 1 || batchBytes(batch) <= limits.batchBytesMax) {
    yield batch;
    return;
  }
  const middle = (start + end) >> 1;
  yield* cut(schema, batches, picks, start, middle);
  yield* cut(schema, batches, picks, middle, end);
}

/** Without a run's extra columns. */
function plainRows(schema: Schema, read: RecordBatch): RecordBatch {
  const all = Uint32Array.from({ length: read.numRows }, (_, row) => row);
  return gatherRows(schema, [read], { batch: new Uint32Array(all.length), row: all, length: all.length });
}

function sumsOf(batch: RecordBatch): Record<string, string> {
  const sums = new ColumnSums(batch.schema);
  sums.add(batch);
  return sums.toText();
}
