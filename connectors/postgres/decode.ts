/**
 * COPY's binary format straight into Arrow column buffers (PostgreSQL documentation, COPY, "Binary Format"). No row
 * becomes an object; each cell's own bytes are the matter of `cells.ts`.
 */
import type { Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { type ByteSource, builderFor, type ColumnBuilder, finishBatch } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SourceBatch } from '../connector.ts';
import { type Decode, decoderOf } from './cells.ts';
import type { Codec, Mapping } from './types.ts';
import type { CopyConsumer } from './wire.ts';

/** Signature, flags and length of the header's extension. */
const SIGNATURE_BYTES = 11;
const ROW_BYTES_MAX = 4 * limits.cellBytesMax;

const varyingCodecs = new Set<Codec>(['bytes', 'jsonb', 'list', 'text']);

export interface DecodedColumn {
  name: string;
  mapping: Mapping;
}

export interface BatchLimits {
  batchRowsMax: number;
  batchBytesMax: number;
}

/** Collects rows until a batch is full by rows or by bytes; `batch` hands it out, `reset` starts the next. */
export class CopyDecoder implements CopyConsumer {
  full = false;
  rows = 0;
  private readonly schema: Schema;
  private readonly columns: DecodedColumn[];
  private readonly builders: ColumnBuilder[];
  private readonly decoders: Decode[];
  private readonly limits: BatchLimits;
  private readonly at: string;
  /** Bytes that every row takes, and, as 1 or 0, which columns add the bytes of their cells. */
  private readonly rowBytesFixed: number;
  private readonly varying: Uint8Array;
  private unrepresentable: UnrepresentableCell[] = [];
  private bytes = 0;
  private headerSeen = false;

  /** `at` names the table in errors. */
  constructor(schema: Schema, columns: DecodedColumn[], batchLimits: BatchLimits, at: string) {
    this.schema = schema;
    this.columns = columns;
    this.limits = batchLimits;
    this.at = at;
    this.builders = schema.fields.map((field) => builderFor(field.type));
    this.decoders = columns.map(({ mapping }, i) => decoderOf(mapping, this.builders[i] as ColumnBuilder));
    this.varying = Uint8Array.from(columns, ({ mapping }) => (varyingCodecs.has(mapping.codec) ? 1 : 0));
    this.rowBytesFixed = this.builders.reduce((sum, builder) => sum + builder.cellBytesFixed, 0);
  }

  take(source: ByteSource, start: number, end: number): boolean {
    let at = start;
    if (!this.headerSeen) {
      at = this.readHeader(source, at);
      if (at === end) return true;
    }
    const fields = source.view.getInt16(at);
    if (fields === -1) return true;
    const rowBytesMax = end - at + this.rowBytesFixed;
    if (this.rows > 0 && this.bytes + rowBytesMax > this.limits.batchBytesMax) {
      this.full = true;
      return false;
    }
    if (fields !== this.decoders.length) throw this.broken();
    if (this.readRow(source, at + 2) !== end) throw this.broken();
    this.bytes += this.rowBytesFixed;
    this.rows++;
    this.full = this.rows >= this.limits.batchRowsMax || this.bytes >= this.limits.batchBytesMax;
    return true;
  }

  inspect(source: ByteSource, start: number, available: number, payloadBytes: number): void {
    if (payloadBytes <= limits.cellBytesMax || !this.headerSeen) return;
    const end = start + available;
    let at = start + 2;
    for (let column = 0; column < this.columns.length && at + 4 <= end; column++) {
      const length = source.view.getInt32(at);
      if (length > limits.cellBytesMax) throw this.tooLarge(column);
      at += 4 + Math.max(0, length);
    }
    if (payloadBytes > ROW_BYTES_MAX) throw this.tooLarge();
  }

  /** The rows so far: views of memory that `reset` gives up. */
  batch(): SourceBatch {
    return { batch: finishBatch(this.schema, this.builders, this.rows), unrepresentable: this.unrepresentable };
  }

  reset(): void {
    for (const builder of this.builders) builder.reset();
    this.unrepresentable = [];
    this.rows = 0;
    this.bytes = 0;
    this.full = false;
  }

  private readRow(source: ByteSource, start: number): number {
    const { view } = source;
    const { decoders } = this;
    let at = start;
    for (let column = 0; column < decoders.length; column++) {
      const length = view.getInt32(at);
      at += 4;
      if (length === -1) {
        (this.builders[column] as ColumnBuilder).appendNull();
        continue;
      }
      if (length > limits.cellBytesMax) throw this.tooLarge(column);
      this.bytes += length * (this.varying[column] as number);
      const problem = (decoders[column] as Decode)(source, at, length);
      if (problem !== undefined) {
        (this.builders[column] as ColumnBuilder).appendNull();
        this.unrepresentable.push({ row: this.rows, column, code: problem });
      }
      at += length;
    }
    return at;
  }

  private readHeader(source: ByteSource, at: number): number {
    if (Buffer.from(source.bytes.subarray(at, at + 6)).toString('latin1') !== 'PGCOPY') throw this.broken();
    this.headerSeen = true;
    return at + SIGNATURE_BYTES + 8 + source.view.getInt32(at + SIGNATURE_BYTES + 4);
  }

  private broken(): HuitongError {
    return new HuitongError('SCHEMA_DRIFT', 'the rows do not have the planned columns', { at: this.at });
  }

  private tooLarge(column?: number): HuitongError {
    const what = column === undefined ? 'a row' : `a cell of column ${this.columns[column]?.name}`;
    const max = column === undefined ? ROW_BYTES_MAX : limits.cellBytesMax;
    return new HuitongError('CELL_TOO_LARGE', `${what} is larger than ${max} bytes`, { at: this.at });
  }
}
