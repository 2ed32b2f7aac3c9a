/**
 * Rows of one version, divided by the hashes of their keys, so that two versions of any size are compared a bucket at a
 * time. One bucket stays in memory; more of them are files of a folder that is removed at the end.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordBatch, Schema } from 'apache-arrow';
import { concatBatches, gatherRows, type Picks } from '../../../columnar/gather.ts';
import { keyHashesOf } from '../../../columnar/keys.ts';
import { readAtOf, readBatches } from '../../../columnar/read.ts';
import { BodyBuffers, PartWriter } from '../../../columnar/write.ts';

/** Rows that are divided at once: enough for a bucket's share to be worth a batch of its own. */
const DIVIDED_ROWS = 131_072;

interface BucketFile {
  path: string;
  handle: FileHandle;
  writer: PartWriter;
}

export class Buckets {
  private readonly schema: Schema;
  private readonly key: number[];
  private readonly count: number;
  private readonly files: BucketFile[] = [];
  private readonly buffers = new BodyBuffers();
  private pending: RecordBatch[] = [];
  private pendingRows = 0;

  private constructor(schema: Schema, key: number[], count: number) {
    this.schema = schema;
    this.key = key;
    this.count = count;
  }

  /** @param name tells the files of one version from those of the other */
  static async create(
    folder: string,
    name: string,
    { schema, key, count }: { schema: Schema; key: number[]; count: number },
  ): Promise<Buckets> {
    const buckets = new Buckets(schema, key, count);
    for (let bucket = 0; count > 1 && bucket < count; bucket++) {
      const path = join(folder, `${name}-${bucket}`);
      const writer = new PartWriter(schema, buckets.buffers);
      const file = { path, handle: await open(path, 'wx', 0o600), writer };
      buckets.files.push(file);
      await write(file, writer.start());
    }
    return buckets;
  }

  /** The batch's memory is kept until it is divided. */
  async add(batch: RecordBatch): Promise<void> {
    this.pending.push(batch);
    this.pendingRows += batch.numRows;
    if (this.count > 1 && this.pendingRows >= DIVIDED_ROWS) await this.divide();
  }

  async end(): Promise<void> {
    if (this.count === 1) return;
    await this.divide();
    for (const file of this.files) await write(file, file.writer.end());
  }

  async read(bucket: number): Promise<RecordBatch> {
    if (this.count === 1) return concatBatches(this.schema, this.pending);
    const bytes = await readFile(this.files[bucket]!.path);
    const batches: RecordBatch[] = [];
    for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) batches.push(batch);
    return concatBatches(this.schema, batches);
  }

  async close(): Promise<void> {
    for (const { handle } of this.files) await handle.close();
  }

  private async divide(): Promise<void> {
    const places: number[][] = Array.from({ length: this.count }, () => []);
    this.pending.forEach((batch, place) => {
      const { high } = keyHashesOf(batch, this.key);
      // The low bits: buckets of the pipeline are taken from the top ones, and within such a bucket those are all equal.
      for (let row = 0; row < batch.numRows; row++) places[high[row]! % this.count]!.push(place, row);
    });
    for (const [bucket, pairs] of places.entries()) {
      if (pairs.length === 0) continue;
      const file = this.files[bucket]!;
      await write(file, file.writer.batch(gatherRows(this.schema, this.pending, picksOf(pairs))));
    }
    this.pending = [];
    this.pendingRows = 0;
  }
}

function picksOf(pairs: number[]): Picks {
  const length = pairs.length / 2;
  return {
    length,
    batch: Uint32Array.from({ length }, (_, i) => pairs[2 * i]!),
    row: Uint32Array.from({ length }, (_, i) => pairs[2 * i + 1]!),
  };
}

async function write({ handle }: BucketFile, chunks: Uint8Array[]): Promise<void> {
  for (const chunk of chunks) await handle.writeFile(chunk);
}
