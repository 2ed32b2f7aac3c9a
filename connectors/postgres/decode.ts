/**
 * COPY's binary format straight into Arrow column buffers (PostgreSQL documentation, COPY, "Binary Format"), in two
 * phases: where the cells of some rows lie, then a loop a column (`fill*.ts`). No row becomes an object.
 */
import type { Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { type ByteSource, builderFor, type ColumnBuilder, finishBatch } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SourceBatch } from '../connector.ts';
import { type Fill, LENGTH_BYTES } from './cells.ts';
import { fillOf } from './fill.ts';
import type { Codec, Mapping } from './types.ts';
import { COPY_DATA, type CopyConsumer, HEADER_BYTES } from './wire.ts';

/** Signature, flags and length of the header's extension. */
const SIGNATURE_BYTES = 11;
const FIELD_COUNT_BYTES = 2;
/** Instead of a row's count of fields: no more rows. */
const TRAILER = -1;
const ROW_BYTES_MAX = 4 * limits.cellBytesMax;
/** Rows, and cells, that are scanned before they are filled in: what was scanned should still be in a core's cache. */
const SCAN_ROWS_MAX = 1024;
const SCAN_CELLS_MAX = 64 * 1024;

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
  private readonly fills: Fill[];
  private readonly limits: BatchLimits;
  private readonly at: string;
  /** Bytes that every row takes, and, by all bits or none, which columns add the bytes of their cells. */
  private readonly rowBytesFixed: number;
  private readonly varying: Int32Array;
  /** Where the scanned cells lie, `scanRowsMax` for each column. */
  private readonly offsets: Int32Array;
  private readonly scanRowsMax: number;
  private scanned = 0;
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
    this.fills = columns.map(({ mapping }, column) =>
      fillOf(mapping, this.builders[column]!, (row, code) => this.unrepresentable.push({ row, column, code })),
    );
    this.varying = Int32Array.from(columns, ({ mapping }) => (varyingCodecs.has(mapping.codec) ? -1 : 0));
    this.rowBytesFixed = this.builders.reduce((sum, builder) => sum + builder.cellBytesFixed, 0);
    this.scanRowsMax = Math.max(1, Math.min(SCAN_ROWS_MAX, Math.floor(SCAN_CELLS_MAX / columns.length)));
    this.offsets = new Int32Array(this.scanRowsMax * columns.length);
  }

  take(source: ByteSource, start: number, end: number): number {
    let at = start;
    for (;;) {
      const next = this.scan(source, at, end);
      this.fill(source);
      if (this.full || next === at) return next;
      at = next;
    }
  }

  inspect(view: DataView, start: number, available: number, payloadBytes: number): void {
    if (payloadBytes <= limits.cellBytesMax || !this.headerSeen) return;
    const end = start + available;
    let at = start + FIELD_COUNT_BYTES;
    for (let column = 0; column < this.columns.length && at + LENGTH_BYTES <= end; column++) {
      const length = view.getInt32(at);
      if (length > limits.cellBytesMax) throw this.tooLarge(column);
      at += LENGTH_BYTES + Math.max(0, length);
    }
    if (payloadBytes > ROW_BYTES_MAX) throw this.tooLarge();
  }

  /** The rows so far: views of memory that `reset` gives up. */
  batch(): SourceBatch {
    const unrepresentable = this.unrepresentable.sort((a, b) => a.row - b.row || a.column - b.column);
    return { batch: finishBatch(this.schema, this.builders, this.rows), unrepresentable };
  }

  reset(): void {
    for (const builder of this.builders) builder.reset();
    this.unrepresentable = [];
    this.rows = 0;
    this.bytes = 0;
    this.full = false;
  }

  /**
   * The first phase: complete messages from `start` on, one a row, as many as there are, or as the batch or `offsets`
   * has room for. Gives back where it stopped. What a batch holds depends on its rows alone, not on how they arrive.
   */
  private scan(source: ByteSource, start: number, end: number): number {
    const { bytes, view } = source;
    const { batchRowsMax, batchBytesMax } = this.limits;
    const scanMax = Math.min(this.scanRowsMax, batchRowsMax - this.rows);
    let scanned = 0;
    let batchBytes = this.bytes;
    let at = start;
    while (scanned < scanMax && batchBytes < batchBytesMax && end - at >= HEADER_BYTES && bytes[at] === COPY_DATA) {
      const next = at + 1 + view.getInt32(at + 1);
      if (next > end) break;
      const row = this.headerSeen ? at + HEADER_BYTES : this.readHeader(source, at + HEADER_BYTES);
      if (row < next && view.getInt16(row) !== TRAILER) {
        const isFirst = this.rows + scanned === 0;
        if (!isFirst && batchBytes + next - row + this.rowBytesFixed > batchBytesMax) {
          this.full = true;
          break;
        }
        batchBytes += this.rowBytesFixed + this.scanRow(view, row, next, scanned++);
      }
      at = next;
    }
    this.scanned = scanned;
    this.bytes = batchBytes;
    return at;
  }

  /** Notes where the cells of the row at `start` begin; gives back the bytes of those that vary. */
  private scanRow(view: DataView, start: number, end: number, row: number): number {
    const { offsets, scanRowsMax, varying } = this;
    if (view.getInt16(start) !== varying.length) throw this.broken();
    if (end - start > limits.cellBytesMax) this.inspect(view, start, end - start, end - start);
    let at = start + FIELD_COUNT_BYTES;
    let to = row;
    let varyingBytes = 0;
    for (let column = 0; column < varying.length; column++) {
      offsets[to] = at;
      to += scanRowsMax;
      const length = view.getInt32(at);
      at += LENGTH_BYTES;
      if (length > 0) {
        at += length;
        varyingBytes += length & varying[column]!;
      }
    }
    if (at !== end) throw this.broken();
    return varyingBytes;
  }

  /** The second phase: a loop a column. */
  private fill(source: ByteSource): void {
    const { fills, offsets, scanned } = this;
    if (scanned > 0) {
      const cells = { source, offsets, first: 0, count: scanned };
      for (let column = 0; column < fills.length; column++) {
        cells.first = column * this.scanRowsMax;
        fills[column]!(cells);
      }
      this.rows += scanned;
    }
    this.full ||= this.rows >= this.limits.batchRowsMax || this.bytes >= this.limits.batchBytesMax;
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
