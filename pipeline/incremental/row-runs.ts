/**
 * Rows on their way into buckets. A reading thread gathers what it has read, sorts it by key, and writes it as a run, an
 * encrypted temporary file; the merge then takes each bucket's rows from all runs, in the order of buckets, holding one
 * small batch of each run. So any number of rows is divided in bounded memory: a run for every `sortBytesMax`.
 *
 * A run's rows have the columns of the source, all nullable (a delete has its key only), and behind them
 *
 *   __high, __low   uint32: the key's hash
 *   __operation     uint8: `operations`
 *   __order         float64: partition × 2^32 + ordinal, the order in which rows were read
 */
import { Field, Float64, makeData, RecordBatch, Schema, Struct, Uint8, Uint32 } from 'apache-arrow';
import { concatBatches, gatherRows, type Picks, takeRows } from '../../columnar/gather.ts';
import { keyHashesOf, sortedByKey } from '../../columnar/keys.ts';
import { type PartIndex, type ReadAt, readBatch, readPartIndex } from '../../columnar/read.ts';
import { batchBytes } from '../../columnar/size.ts';
import { BodyBuffers, PartWriter } from '../../columnar/write.ts';
import { limits } from '../../lib/limits.ts';
import { openPrivateFile, type PrivateFile, PrivateFileWriter } from './private-file.ts';

/** What a row does to its key: `reject` broke the contract, and leaves what was there before. */
export const operations = { put: 0, remove: 1, reject: 2 } as const;

const EXTRA_FIELDS = [
  new Field('__high', new Uint32(), false),
  new Field('__low', new Uint32(), false),
  new Field('__operation', new Uint8(), false),
  new Field('__order', new Float64(), false),
];
const PARTITION_ROWS = 2 ** 32;

export function runSchema(schema: Schema): Schema {
  const fields = schema.fields.map((field) => new Field(field.name, field.type, true, field.metadata));
  return new Schema([...fields, ...EXTRA_FIELDS], schema.metadata);
}

/** The extra columns of a batch of runs. */
export function runColumns(batch: RecordBatch) {
  const [high, low, operation, order] = batch.data.children.slice(-EXTRA_FIELDS.length).map((data) => data.values);
  return {
    hashes: { high: high as Uint32Array, low: low as Uint32Array },
    operation: operation as Uint8Array,
    order: order as Float64Array,
  };
}

export function placeOf(order: number): { partition: number; ordinal: number } {
  return { partition: Math.floor(order / PARTITION_ROWS), ordinal: order % PARTITION_ROWS };
}

export interface RunWriterOptions {
  schema: Schema;
  keyColumns: number[];
  /** Where files go, and how they begin; unique to this attempt. */
  path: string;
  partition: number;
}

export class RunWriter {
  private readonly options: RunWriterOptions;
  private readonly schema: Schema;
  private readonly buffers = new BodyBuffers();
  private readonly files: PrivateFile[] = [];
  private written = 0;
  private waiting: RecordBatch[] = [];
  private waitingBytes = 0;
  private waitingRows = 0;

  constructor(options: RunWriterOptions) {
    this.options = options;
    this.schema = runSchema(options.schema);
  }

  /** Takes the rows that have a key, with memory of their own. The first row was read as number `firstOrdinal`. */
  async add(batch: RecordBatch, operation: Uint8Array, firstOrdinal: number): Promise<void> {
    const rows = this.rowsWithKey(batch);
    if (rows.length === 0) return;
    const taken = takeRows(batch, rows);
    const { high, low } = keyHashesOf(taken, this.options.keyColumns);
    const first = this.options.partition * PARTITION_ROWS + firstOrdinal;
    const extra = [
      makeData({ type: new Uint32(), data: high, nullCount: 0 }),
      makeData({ type: new Uint32(), data: low, nullCount: 0 }),
      makeData({ type: new Uint8(), data: Uint8Array.from(rows, (row) => operation[row]!), nullCount: 0 }),
      makeData({ type: new Float64(), data: Float64Array.from(rows, (row) => first + row), nullCount: 0 }),
    ];
    const children = [...taken.data.children, ...extra];
    const data = makeData({ type: new Struct(this.schema.fields), length: rows.length, nullCount: 0, children });
    const wide = new RecordBatch(this.schema, data);
    this.waiting.push(wide);
    this.waitingBytes += batchBytes(wide);
    this.waitingRows += rows.length;
    if (this.waitingBytes >= limits.sortBytesMax || this.waitingRows >= limits.sortRowsMax) await this.writeRun();
  }

  /** The table was emptied: nothing that came before counts. */
  clear(): void {
    this.files.length = 0;
    this.waiting = [];
    this.waitingBytes = 0;
    this.waitingRows = 0;
  }

  async end(): Promise<PrivateFile[]> {
    if (this.waitingRows > 0) await this.writeRun();
    return this.files;
  }

  private rowsWithKey(batch: RecordBatch): Uint32Array {
    const keys = this.options.keyColumns.map((position) => batch.data.children[position]!);
    const nullable = keys.filter((data) => data.nullCount > 0);
    const all = Uint32Array.from({ length: batch.numRows }, (_, row) => row);
    return nullable.length === 0 ? all : all.filter((row) => nullable.every((data) => data.getValid(row)));
  }

  private async writeRun(): Promise<void> {
    const all = concatBatches(this.schema, this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    this.waitingRows = 0;
    const { hashes, order } = runColumns(all);
    const sorted = sortedByKey(all, this.options.keyColumns, hashes, order);
    const file = await PrivateFileWriter.create(`${this.options.path}-${this.written++}`);
    const writer = new PartWriter(this.schema, this.buffers);
    try {
      await file.write(writer.start());
      for (let start = 0; start < sorted.length; start += limits.sortBatchRows) {
        await file.write(writer.batch(takeRows(all, sorted.subarray(start, start + limits.sortBatchRows))));
      }
      await file.write(writer.end());
      this.files.push(await file.end());
    } catch (e) {
      await file.abort();
      throw e;
    }
  }
}

/** Takes rows from all runs in the order of their hashes. */
export class RunReader {
  private readonly schema: Schema;
  private readonly cursors: RunCursor[];

  static async open(schema: Schema, files: PrivateFile[]): Promise<RunReader> {
    const cursors: RunCursor[] = [];
    try {
      for (const file of files) cursors.push(await RunCursor.open(file));
    } catch (e) {
      await Promise.all(cursors.map((cursor) => cursor.close()));
      throw e;
    }
    return new RunReader(runSchema(schema), cursors);
  }

  private constructor(schema: Schema, cursors: RunCursor[]) {
    this.schema = schema;
    this.cursors = cursors;
  }

  /** The rows, in no order, whose hash begins at or below `high`, and that were not taken before. */
  async takeUpTo(high: number): Promise<RecordBatch> {
    const batches: RecordBatch[] = [];
    const [batch, row]: [number[], number[]] = [[], []];
    for (const cursor of this.cursors) {
      for (let span = await cursor.next(high); span !== undefined; span = await cursor.next(high)) {
        for (let at = span.start; at < span.end; at++) {
          batch.push(batches.length);
          row.push(at);
        }
        batches.push(span.batch);
      }
    }
    const picks: Picks = { batch: Uint32Array.from(batch), row: Uint32Array.from(row), length: row.length };
    return gatherRows(this.schema, batches, picks);
  }

  async close(): Promise<void> {
    await Promise.all(this.cursors.map((cursor) => cursor.close()));
  }
}

class RunCursor {
  private readonly file: { readAt: ReadAt; close(): Promise<void> };
  private readonly index: PartIndex;
  private place = 0;
  private batch: RecordBatch | undefined;
  private row = 0;

  static async open(file: PrivateFile): Promise<RunCursor> {
    const opened = await openPrivateFile(file);
    try {
      return new RunCursor(opened, await readPartIndex(opened.readAt, file.sizeBytes));
    } catch (e) {
      await opened.close();
      throw e;
    }
  }

  private constructor(file: RunCursor['file'], index: PartIndex) {
    this.file = file;
    this.index = index;
  }

  /** Rows of one batch; undefined where the next row lies behind `high`. */
  async next(high: number): Promise<{ batch: RecordBatch; start: number; end: number } | undefined> {
    if (this.batch === undefined || this.row === this.batch.numRows) {
      const entry = this.index.batches[this.place];
      if (entry === undefined) return undefined;
      this.place++;
      this.batch = await readBatch(this.file.readAt, this.index, entry);
      this.row = 0;
    }
    const { hashes } = runColumns(this.batch);
    const start = this.row;
    while (this.row < this.batch.numRows && hashes.high[this.row]! <= high) this.row++;
    return this.row === start ? undefined : { batch: this.batch, start, end: this.row };
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
