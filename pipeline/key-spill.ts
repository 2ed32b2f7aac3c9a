/**
 * Hashes of the published rows' keys, on disk, so that uniqueness can be checked over any number of rows in bounded
 * memory. One file a partition; a record goes to one of 256 buckets by the top bits of its hash, so that all rows of
 * equal keys meet in one bucket, whichever partition they came from. A bucket's records lie in chunks, in the order of
 * reading. A billion rows need 20 GB of disk, and one bucket of them 80 MB of memory.
 *
 * Record, five uint32: hash (two halves), part and row within the partition's parts, ordinal of the row as it was read.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { KeyHashes } from '../columnar/keys.ts';
import { HuitongError } from '../lib/errors.ts';
import { readAll, writeAll } from '../lib/file-bytes.ts';
import type { PartPlace } from './part-sink.ts';

export const BUCKETS = 256;
export const RECORD_WORDS = 5;
const CHUNK_WORDS = RECORD_WORDS * 800;

/** Plain data: which chunks of the file belong to each bucket, as byte offset and length by turns. */
export interface SpillIndex {
  file: string;
  chunks: number[][];
}

/** One row whose key was spilled. */
export interface SpilledRow extends PartPlace {
  partition: number;
  ordinal: number;
}

export class KeySpill {
  private readonly file: string;
  private readonly handle: FileHandle;
  private readonly index: number[][] = Array.from({ length: BUCKETS }, () => []);
  private readonly filling: Uint32Array[] = new Array(BUCKETS);
  private readonly filled = new Uint32Array(BUCKETS);
  private full: { bucket: number; words: Uint32Array }[] = [];
  private length = 0;

  static async create(file: string): Promise<KeySpill> {
    return new KeySpill(file, await open(file, 'w'));
  }

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.handle = handle;
  }

  /** `ordinals[i]` is the i-th published row's ordinal in its partition. */
  async add(hashes: KeyHashes, place: PartPlace, ordinals: Uint32Array): Promise<void> {
    for (let i = 0; i < ordinals.length; i++) {
      const bucket = hashes.high[i]! >>> 24;
      this.filling[bucket] ??= new Uint32Array(CHUNK_WORDS);
      const words = this.filling[bucket]!;
      let at = this.filled[bucket]!;
      words[at++] = hashes.high[i]!;
      words[at++] = hashes.low[i]!;
      words[at++] = place.part;
      words[at++] = place.row + i;
      words[at++] = ordinals[i]!;
      this.filled[bucket] = at;
      if (at === CHUNK_WORDS) this.rotate(bucket);
    }
    await this.flush();
  }

  async end(): Promise<SpillIndex> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) if (this.filled[bucket]! > 0) this.rotate(bucket);
    await this.flush();
    await this.handle.close();
    return { file: this.file, chunks: this.index };
  }

  async abort(): Promise<void> {
    await this.handle.close();
  }

  private rotate(bucket: number): void {
    this.full.push({ bucket, words: this.filling[bucket]!.slice(0, this.filled[bucket]) });
    this.filled[bucket] = 0;
  }

  private async flush(): Promise<void> {
    if (this.full.length === 0) return;
    const chunks = this.full.map(({ words }) => new Uint8Array(words.buffer));
    for (const [i, { bucket }] of this.full.entries()) {
      this.index[bucket]!.push(this.length, chunks[i]!.byteLength);
      this.length += chunks[i]!.byteLength;
    }
    this.full = [];
    await writeAll(this.handle, chunks);
  }
}

/** All records of one bucket, partition by partition in the order given: the order of the plan. */
export async function readBucket(
  spills: SpillIndex[],
  bucket: number,
): Promise<{ records: Uint32Array; ends: number[] }> {
  const bytes = spills.map(({ chunks }) => chunks[bucket]!.reduce((sum, n, i) => sum + (i % 2 === 1 ? n : 0), 0));
  const records = new Uint32Array(bytes.reduce((a, b) => a + b, 0) / Uint32Array.BYTES_PER_ELEMENT);
  const target = new Uint8Array(records.buffer);
  const ends: number[] = [];
  let at = 0;
  for (const spill of spills) {
    const chunks = spill.chunks[bucket]!;
    if (chunks.length > 0) at = await readChunks(spill.file, chunks, target, at);
    ends.push(at / Uint32Array.BYTES_PER_ELEMENT);
  }
  return { records, ends };
}

async function readChunks(file: string, chunks: number[], target: Uint8Array, start: number): Promise<number> {
  const handle = await open(file, 'r');
  let at = start;
  try {
    for (let i = 0; i < chunks.length; i += 2) {
      const length = chunks[i + 1]!;
      const read = await readAll(handle, target.subarray(at, at + length), chunks[i]!);
      if (read < length) throw new HuitongError('INTERNAL', 'the file of key hashes is shorter than what was written');
      at += length;
    }
  } finally {
    await handle.close();
  }
  return at;
}
