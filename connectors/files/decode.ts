/** From scanned rows to Arrow batches: which rows still fit, then a loop a column. No row becomes an object. */
import { isUtf8 } from 'node:buffer';
import type { Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { type ByteSource, builderFor, type ColumnBuilder, finishBatch } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { PlannedColumn, ReadRequest, SourceBatch } from '../connector.ts';
import type { Cells, CellTable, Fill } from './cells.ts';
import { type CellForms, fillOf } from './fill.ts';
import type { Mapping } from './types.ts';

/** Bytes of a scanned stretch, the same memory as its table's cells lie in. */
export interface ScannedBytes {
  source: ByteSource;
  start: number;
  end: number;
}

const REPLACEMENT = Buffer.from('\uFFFD');

/** Collects rows until a batch is full by rows or by bytes; `batch` hands it out, `reset` starts the next. */
export class BatchDecoder {
  rows = 0;
  full = false;
  private readonly schema: Schema;
  private readonly columns: { name: string; mapping: Mapping }[];
  private readonly builders: ColumnBuilder[];
  private readonly fills: Fill[];
  private readonly limits: Pick<ReadRequest, 'batchRowsMax' | 'batchBytesMax'>;
  /** Bytes of a batch without rows, and of a row without its texts. */
  private readonly emptyBytes: number;
  private readonly rowBytesFixed: number;
  private readonly textColumns: number[];
  private unrepresentable: UnrepresentableCell[] = [];
  private bytes = 0;

  /** Column `c` of every table is column `c` of the plan. */
  constructor(schema: Schema, columns: PlannedColumn[], request: BatchDecoder['limits'], forms: CellForms) {
    this.schema = schema;
    this.columns = columns.map(({ name, mapping }) => ({ name, mapping: mapping as Mapping }));
    this.limits = request;
    this.builders = schema.fields.map((field) => builderFor(field.type));
    this.fills = this.columns.map(({ mapping }, column) =>
      fillOf(mapping, this.builders[column]!, forms, (row, code) => this.unrepresentable.push({ row, column, code })),
    );
    // A bit of validity a cell; its last byte may be half empty.
    this.rowBytesFixed = this.builders.reduce((sum, builder) => sum + builder.cellBytesFixed + 1 / 8, 0);
    this.emptyBytes = this.builders.length + this.builders.reduce((sum, builder) => sum + builder.byteLength, 0);
    this.bytes = this.emptyBytes;
    this.textColumns = this.columns.flatMap(({ mapping }, column) => (mapping.codec === 'text' ? [column] : []));
  }

  /** Takes rows of the table from row `from` on, as many as fit; gives back how far it came. `at` names the file. */
  take(table: CellTable, scanned: ScannedBytes, from: number, at: string): number {
    const to = this.rowsThatFit(table, from, at);
    if (to > from) this.fill(table, scanned, from, to);
    this.full ||= to < table.rows || this.rows >= this.limits.batchRowsMax || this.bytes >= this.limits.batchBytesMax;
    return to;
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
    this.bytes = this.emptyBytes;
    this.full = false;
  }

  /** What a batch holds depends on its rows alone, not on how they arrive. */
  private rowsThatFit(table: CellTable, from: number, at: string): number {
    const room = Math.min(table.rows, from + this.limits.batchRowsMax - this.rows);
    let to = from;
    for (; to < room; to++) {
      const bytes = this.rowBytes(table, to, at);
      if (this.rows + to - from > 0 && this.bytes + bytes > this.limits.batchBytesMax) {
        this.full = true;
        break;
      }
      this.bytes += bytes;
    }
    return to;
  }

  private rowBytes(table: CellTable, row: number, at: string): number {
    let bytes = this.rowBytesFixed;
    for (const column of this.textColumns) {
      const length = table.lengths[column * table.rowsMax + row]!;
      if (length > 0) bytes += length;
    }
    if (bytes > limits.cellBytesMax) this.assertCellSizes(table, row, at);
    return bytes;
  }

  private assertCellSizes(table: CellTable, row: number, at: string): void {
    for (const column of this.textColumns) {
      if (table.lengths[column * table.rowsMax + row]! <= limits.cellBytesMax) continue;
      throw cellTooLarge(this.columns[column]!.name, `${at} line ${table.lines[row]}`);
    }
  }

  private fill(table: CellTable, { source, start, end }: ScannedBytes, from: number, to: number): void {
    const { lengths, lines, problems, rowsMax, starts } = table;
    const batchRow = this.rows - from;
    for (const { row, column, code } of problems) {
      if (row < from || row >= to) continue;
      const cells = column < 0 ? this.cellColumns() : [column];
      for (const each of cells) this.unrepresentable.push({ row: batchRow + row, column: each, code });
    }
    const stretch = Buffer.from(source.bytes.buffer, source.bytes.byteOffset + start, end - start);
    const clean = isUtf8(stretch) && !stretch.includes(0) && !stretch.includes(REPLACEMENT);
    const cells: Cells = { source, starts, lengths, lines, firstRow: from, first: 0, count: to - from, clean };
    for (let column = 0; column < this.fills.length; column++) {
      cells.first = column * rowsMax + from;
      this.fills[column]!(cells);
    }
    this.rows += to - from;
  }

  private cellColumns(): number[] {
    return this.columns.flatMap(({ mapping }, column) => (mapping.codec === 'line' ? [] : [column]));
  }
}

export function cellTooLarge(column: string, at: string): HuitongError {
  return new HuitongError('CELL_TOO_LARGE', `a cell of column ${column} is larger than ${limits.cellBytesMax} bytes`, {
    at,
  });
}
