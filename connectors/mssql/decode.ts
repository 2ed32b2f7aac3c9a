/** Rows of a response straight into Arrow column buffers, in two phases (`scan.ts`). No row becomes an object. */
import type { Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { builderFor, type ColumnBuilder, finishBatch } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SourceBatch } from '../connector.ts';
import { type Filler, fillerOf } from './fill.ts';
import type { Fill } from './fill-numbers.ts';
import { LargeRow } from './large-row.ts';
import { RowScanner } from './scan.ts';
import { CellTooLarge } from './text.ts';
import { TokenConsumer } from './token-consumer.ts';
import type { Mapping } from './types.ts';
import type { WireColumn } from './wire-types.ts';

/** A row that is not complete after so much is taken cell by cell. */
const LARGE_ROW_BYTES = 1024 * 1024;

export interface DecodedColumn {
  name: string;
  mapping: Mapping;
  /** Its place among the columns of the query; two columns can be decoded from one. */
  wire: number;
  /** How TYPE_INFO must begin; another one is SCHEMA_DRIFT. */
  typeInfo: string;
}

export interface BatchLimits {
  batchRowsMax: number;
  batchBytesMax: number;
}

/** Collects rows until a batch is full by rows or by bytes; `batch` hands it out, `reset` starts the next. */
export class RowDecoder extends TokenConsumer {
  rows = 0;
  private readonly schema: Schema;
  private readonly columns: DecodedColumn[];
  private readonly builders: ColumnBuilder[];
  private readonly limits: BatchLimits;
  private readonly at: string;
  private readonly rowBytesFixed: number;
  private scanner: RowScanner | undefined;
  /** By wire column. */
  private fillers: Filler[][] = [];
  private loops: { fill: Fill; wire: number }[] = [];
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
  override decode(forward: (token: Buffer) => void): void {
    try {
      super.decode(forward);
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

  protected override step(forward: (token: Buffer) => void): boolean {
    return this.largeRow === undefined ? super.step(forward) : this.continueLargeRow(this.largeRow);
  }

  protected prepare(wireColumns: WireColumn[]): void {
    const changed = this.columns.filter(({ wire, typeInfo }) => !wireColumns[wire]?.typeInfo.startsWith(typeInfo));
    if (changed.length > 0) {
      const names = changed.map((column) => column.name).join(', ');
      throw new HuitongError('SCHEMA_DRIFT', `the table changed between planning and reading: the type of ${names}`, {
        at: this.at,
      });
    }
    this.scanner = new RowScanner(this.window, wireColumns, this.rowBytesFixed);
    this.fillers = wireColumns.map(() => []);
    this.columns.forEach(({ mapping, wire }, column) => {
      const framing = wireColumns[wire]?.framing ?? 0;
      const report = (row: number, code: UnrepresentableCell['code']) =>
        this.unrepresentable.push({ row, column, code });
      this.fillers[wire]?.push(fillerOf(mapping, this.builders[column] as ColumnBuilder, framing, report));
    });
    this.loops = this.fillers.flatMap((fillers, wire) => fillers.map(({ fill }) => ({ fill, wire })));
  }

  protected takeRows(): boolean {
    const { scanner, window } = this;
    if (scanner === undefined)
      throw new HuitongError('SOURCE_FAILED', 'rows came before their columns', { at: this.at });
    const left = this.scanRows(scanner);
    const { scanned } = scanner;
    if (scanned.rows > 0) {
      for (const { fill, wire } of this.loops) fill(scanned, wire);
      this.rows += scanned.rows;
      this.full = this.rows >= this.limits.batchRowsMax;
      return !this.full;
    }
    if (left < 0) {
      this.full = true;
      return false;
    }
    if (window.length < LARGE_ROW_BYTES) return false;
    // A large row begins a batch of its own, so that a batch never ends within a row.
    if (this.rows > 0) this.full = true;
    else this.largeRow = new LargeRow(scanner, this.fillers);
    return !this.full;
  }

  /**
   * What the rows so far take is summed over all builders only when the bound of what has been added since says that
   * the batch may be full. The first row of a batch is taken whatever its size.
   */
  private scanRows(scanner: RowScanner): number {
    const { batchRowsMax, batchBytesMax } = this.limits;
    if (this.rows === 0) {
      this.bytesLeft = batchBytesMax;
      const left = scanner.scan(1, Number.POSITIVE_INFINITY);
      if (scanner.scanned.rows > 0) this.bytesLeft = -1;
      return left;
    }
    if (this.bytesLeft >= 0) {
      this.bytesLeft = scanner.scan(batchRowsMax - this.rows, this.bytesLeft);
      if (scanner.scanned.rows > 0 || this.bytesLeft >= 0) return 0;
    }
    this.bytesLeft = scanner.scan(batchRowsMax - this.rows, batchBytesMax - this.bytes());
    return this.bytesLeft;
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
    const wire = this.largeRow?.at;
    const name = this.columns.find((column) => column.wire === wire)?.name;
    const what = name === undefined ? 'a cell' : `a cell of column ${name}`;
    return new HuitongError('CELL_TOO_LARGE', `${what} is larger than ${limits.cellBytesMax} bytes`, { at: this.at });
  }
}
