/** Rows of a result straight into Arrow column buffers, in two phases (`scan.ts`). No row becomes an object. */
import type { Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { builderFor, type ColumnBuilder, finishBatch } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SourceBatch } from '../connector.ts';
import { type Filler, fillerOf, widthOf } from './fill.ts';
import { CellTooLarge } from './fill-bytes.ts';
import type { Fill } from './fill-each.ts';
import { LargeRow } from './large-row.ts';
import type { WireColumn } from './packets.ts';
import { ResultReader } from './result-reader.ts';
import { RowScanner } from './scan.ts';
import type { Mapping } from './types.ts';

export interface DecodedColumn {
  name: string;
  mapping: Mapping;
  /** What the definition must say; another one is SCHEMA_DRIFT. Absent: anything that can be decoded. */
  typeInfo?: string;
}

export interface BatchLimits {
  batchRowsMax: number;
  batchBytesMax: number;
}

/** Collects rows until a batch is full by rows or by bytes; `batch` hands it out, `reset` starts the next. */
export class RowDecoder extends ResultReader {
  rows = 0;
  private readonly schema: Schema;
  private readonly columns: DecodedColumn[];
  private readonly builders: ColumnBuilder[];
  private readonly limits: BatchLimits;
  private readonly at: string;
  private readonly rowBytesFixed: number;
  private scanner: RowScanner | undefined;
  private fillers: Filler[] = [];
  private loops: Fill[] = [];
  /** A lower bound of what the batch can still take; below zero: it must be summed anew. */
  private bytesLeft = 0;
  private largeRow: LargeRow | undefined;
  private unrepresentable: UnrepresentableCell[] = [];

  /** `at` names the table in errors. */
  constructor(schema: Schema, columns: DecodedColumn[], batchLimits: BatchLimits, at: string) {
    super();
    this.schema = schema;
    this.columns = columns;
    this.limits = batchLimits;
    this.at = at;
    this.builders = schema.fields.map((field) => builderFor(field.type));
    // A byte for eight validity bits.
    this.rowBytesFixed = this.builders.reduce((sum, builder) => sum + builder.cellBytesFixed + 1 / 8, 0);
  }

  /** Throws SCHEMA_DRIFT, CELL_TOO_LARGE. */
  override decode(): void {
    try {
      super.decode();
    } catch (cause) {
      throw cause instanceof CellTooLarge ? this.tooLarge() : cause;
    }
  }

  /** The rows so far: views of memory that `reset` gives up. */
  batch(): SourceBatch {
    return { batch: finishBatch(this.schema, this.builders, this.rows), unrepresentable: this.unrepresentable };
  }

  reset(): void {
    for (const builder of this.builders) builder.reset();
    this.unrepresentable = [];
    this.rows = 0;
    this.full = false;
  }

  protected get isWithinRow(): boolean {
    return this.largeRow !== undefined;
  }

  protected prepare(wireColumns: WireColumn[]): void {
    const changed = this.columns.filter(({ mapping, typeInfo }, i) => {
      const wire = wireColumns[i];
      return wire?.width !== widthOf(mapping) || (typeInfo !== undefined && wire.typeInfo !== typeInfo);
    });
    if (changed.length > 0 || wireColumns.length !== this.columns.length) {
      const names = changed.map((column) => column.name).join(', ');
      throw new HuitongError('SCHEMA_DRIFT', `the table changed between planning and reading: the type of ${names}`, {
        at: this.at,
      });
    }
    this.scanner = new RowScanner(this.window, wireColumns, this.rowBytesFixed);
    this.fillers = this.columns.map(({ mapping }, column) =>
      fillerOf(mapping, this.builders[column] as ColumnBuilder, (row, code) =>
        this.unrepresentable.push({ row, column, code }),
      ),
    );
    this.loops = this.fillers.map(({ fill }) => fill);
  }

  protected takeRows(): boolean {
    const { scanner } = this;
    if (scanner === undefined) throw new Error('rows came before their columns');
    if (this.largeRow !== undefined) return this.continueLargeRow(this.largeRow);
    const stop = this.scanRows(scanner);
    const { scanned } = scanner;
    if (scanned.rows > 0) {
      for (let i = 0; i < this.loops.length; i++) (this.loops[i] as Fill)(scanned, i);
      this.rows += scanned.rows;
      this.full = this.rows >= this.limits.batchRowsMax;
      return !this.full;
    }
    if (stop === 'bytes') this.full = true;
    // A large row begins a batch of its own, so that a batch never ends within a row.
    else if (stop === 'large' && this.rows > 0) this.full = true;
    else if (stop === 'large') this.largeRow = new LargeRow(scanner, this.fillers);
    return !this.full && stop !== 'incomplete';
  }

  /**
   * What the rows so far take is summed over all builders only when the bound of what has been added since says that
   * the batch may be full. The first row of a batch is taken whatever its size.
   */
  private scanRows(scanner: RowScanner) {
    const { batchRowsMax, batchBytesMax } = this.limits;
    if (this.rows === 0) {
      const stop = scanner.scan(1, Number.POSITIVE_INFINITY);
      this.bytesLeft = -1;
      return stop;
    }
    if (this.bytesLeft >= 0) {
      const stop = scanner.scan(batchRowsMax - this.rows, this.bytesLeft);
      this.bytesLeft = scanner.left;
      if (scanner.scanned.rows > 0 || stop !== 'bytes') return stop;
    }
    const stop = scanner.scan(batchRowsMax - this.rows, batchBytesMax - this.bytes());
    this.bytesLeft = scanner.left;
    return stop;
  }

  private continueLargeRow(row: LargeRow): boolean {
    if (!row.advance()) return false;
    this.largeRow = undefined;
    this.rows++;
    this.bytesLeft = -1;
    this.full = this.rows >= this.limits.batchRowsMax || this.bytes() >= this.limits.batchBytesMax;
    return true;
  }

  /** What the rows take in Arrow. */
  private bytes(): number {
    const cells = this.builders.reduce((sum, builder) => sum + builder.byteLength, 0);
    return cells + ((this.rows + 7) >> 3) * this.builders.length;
  }

  private tooLarge(): HuitongError {
    const name = this.columns[this.largeRow?.at ?? -1]?.name;
    const what = name === undefined ? 'a cell' : `a cell of column ${name}`;
    return new HuitongError('CELL_TOO_LARGE', `${what} is larger than ${limits.cellBytesMax} bytes`, { at: this.at });
  }
}
