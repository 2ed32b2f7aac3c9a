/**
 * What only appended datasets need. A version adds a segment and leaves the earlier ones as they are, so keys must be
 * unique across segments: the key columns of the earlier parts, and no others, are read and compared with the new
 * rows' keys. Where the cursor is part of the key there is nothing to compare: segments have disjoint ranges of it.
 */
import type { RecordBatch } from 'apache-arrow';
import { concatBatches } from '../../columnar/gather.ts';
import { keyAt, keyHashesOf } from '../../columnar/keys.ts';
import { type ReadAt, readAtOf, readBatches, readPartIndex } from '../../columnar/read.ts';
import { readColumns } from '../../columnar/read-columns.ts';
import { batchBytes } from '../../columnar/size.ts';
import { limits } from '../../lib/limits.ts';
import type { ReportedPart } from '../../schemas/generated/run-report.ts';
import { type DuplicateSearch, readKeys } from '../duplicates.ts';
import { BUCKETS, RECORD_WORDS, readBucket, type SpilledRow } from '../key-spill.ts';
import type { EarlierParts } from '../messages.ts';
import { PartSink } from '../part-sink.ts';
import type { ReadingContext } from '../read-partition.ts';
import type { StagingSession } from '../staging.ts';

/** Rows whose key an earlier part has, other than those `known` to be duplicates already. */
export async function findKnown(
  search: DuplicateSearch,
  session: StagingSession,
  earlier: EarlierParts,
  known: SpilledRow[],
): Promise<SpilledRow[]> {
  const nameOf = ({ partition, part, row }: SpilledRow) => `${partition}/${part}/${row}`;
  const names = new Set(known.map(nameOf));
  const found: SpilledRow[] = [];
  for await (const table of keyTables(search)) {
    if (table.rows.length === 0) continue;
    const candidates: SpilledRow[] = [];
    const keys: string[] = [];
    for (const part of earlier.parts) {
      for await (const { batch, columns } of keyBatches(session, part, search.columns)) {
        search.signal.throwIfAborted();
        table.probe(batch, columns, (row, key) => {
          candidates.push(row);
          keys.push(key);
        });
      }
    }
    const real = await readKeys(search, candidates);
    for (const [i, row] of candidates.entries()) if (real[i] === keys[i] && !names.has(nameOf(row))) found.push(row);
  }
  return found;
}

/** The key columns of one part, batch by batch, by ranges: the other columns stay where they are. */
async function* keyBatches(
  session: StagingSession,
  part: Pick<ReportedPart, 'digest' | 'sizeBytes'>,
  positions: number[],
): AsyncGenerator<{ batch: RecordBatch; columns: number[] }> {
  const readAt: ReadAt = (offset, length) => session.readObject(part.digest, { offset, length });
  const index = await readPartIndex(readAt, part.sizeBytes);
  const columns = positions.map((_, i) => i);
  for (const entry of index.batches) yield { batch: await readColumns(readAt, index, entry, positions), columns };
}

/** Hashes of new rows, in one table after the other, so that memory has a bound whatever the window's size. */
async function* keyTables(search: DuplicateSearch): AsyncGenerator<KeyTable> {
  let rows: SpilledRow[] = [];
  let hashes: number[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const { records, ends } = await readBucket(
      search.spills.map((spill) => spill.index),
      bucket,
    );
    for (let at = 0; at < records.length; at += RECORD_WORDS) {
      const [high, low, part, row, ordinal] = records.subarray(at, at + RECORD_WORDS) as Iterable<number>;
      const { partition } = search.spills[ends.findIndex((end) => at < end)]!;
      rows.push({ partition, part: part!, row: row!, ordinal: ordinal! });
      hashes.push(high!, low!);
    }
    if (rows.length < limits.appendRowsMax && bucket < BUCKETS - 1) continue;
    yield new KeyTable(rows, hashes);
    rows = [];
    hashes = [];
  }
}

/** Open addressing over row numbers; rows of equal hashes are all found. */
class KeyTable {
  readonly rows: SpilledRow[];
  private readonly hashes: Uint32Array;
  private readonly slots: Int32Array;

  constructor(rows: SpilledRow[], hashes: number[]) {
    this.rows = rows;
    this.hashes = Uint32Array.from(hashes);
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(rows.length, 1) * 2)));
    for (let row = 0; row < rows.length; row++) {
      let slot = this.firstSlot(this.hashes[row * 2]!, this.hashes[row * 2 + 1]!);
      while (this.slots[slot] !== 0) slot = (slot + 1) & (this.slots.length - 1);
      this.slots[slot] = row + 1;
    }
  }

  /** Tells each row whose hash a row of the batch has, with that row's key. */
  probe(batch: RecordBatch, columns: number[], tell: (row: SpilledRow, key: string) => void): void {
    const { high, low } = keyHashesOf(batch, columns);
    for (let at = 0; at < batch.numRows; at++) {
      let slot = this.firstSlot(high[at]!, low[at]!);
      for (; this.slots[slot] !== 0; slot = (slot + 1) & (this.slots.length - 1)) {
        const row = this.slots[slot]! - 1;
        if (this.hashes[row * 2] !== high[at] || this.hashes[row * 2 + 1] !== low[at]) continue;
        tell(this.rows[row]!, keyAt(batch, columns, at));
      }
    }
  }

  private firstSlot(high: number, low: number): number {
    return (high ^ low) & (this.slots.length - 1);
  }
}

/** Segments that are made one with the new rows: the trailing ones, once many of them are small. */
export function segmentsToCompact(segments: { parts: { sizeBytes: number }[] }[]): number {
  const bytesOf = (parts: { sizeBytes: number }[]) => parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  let small = 0;
  while (small < segments.length && bytesOf(segments[segments.length - 1 - small]!.parts) < limits.segmentBytesSmall) {
    small++;
  }
  return small >= limits.segmentsCompactMin ? small : 0;
}

/** The rows of the parts, in their order, in as few batches and parts as the limits allow. */
export async function compactParts(
  { schema, session, setup, signal }: ReadingContext,
  parts: ReportedPart[],
): Promise<ReportedPart[]> {
  const { batchRowsMax, batchBytesMax, partRowsMax, partBytesMax } = setup.limits;
  const sink = new PartSink({ session, schema, partition: 0, partRowsMax, partBytesMax });
  let waiting: RecordBatch[] = [];
  const flush = async () => {
    if (waiting.length > 0) await sink.write(concatBatches(schema, waiting));
    waiting = [];
  };
  const fits = (batch: RecordBatch) => {
    const all = [...waiting, batch];
    const rows = all.reduce((sum, one) => sum + one.numRows, 0);
    const bytes = all.reduce((sum, one) => sum + batchBytes(one), 0);
    return rows <= batchRowsMax && bytes <= batchBytesMax;
  };
  try {
    for (const part of parts) {
      signal.throwIfAborted();
      const bytes = await session.readObject(part.digest);
      for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
        if (!fits(batch)) await flush();
        waiting.push(batch);
      }
    }
    await flush();
    return await sink.end();
  } catch (e) {
    await sink.abort();
    throw e;
  }
}
