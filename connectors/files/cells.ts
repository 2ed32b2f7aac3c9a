/**
 * What the two phases of decoding share: where the cells of some rows lie, and the loops that append them to a column.
 * Every format of text (CSV, JSON lines, XLSX) is scanned into this table; no row becomes an object.
 */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ByteSource } from '../../columnar/builders/index.ts';

/** The length of a null, and of no other cell. */
export const NULL_LENGTH = -1;

/** Rows, and cells, that are scanned before they are filled in: what was scanned should still be in a core's cache. */
const SCAN_ROWS_MAX = 1024;
const SCAN_CELLS_MAX = 64 * 1024;

/** A row, or (with `column` -1) all of a row's cells, that cannot be read. Its cells are null. */
export interface CellProblem {
  row: number;
  column: number;
  code: UnrepresentableCell['code'];
}

/** Some scanned rows: cell `row` of column `c` is at `c * rowsMax + row`, in UTF-8. */
export class CellTable {
  readonly columns: number;
  readonly rowsMax: number;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** The line that each row begins at. */
  readonly lines: Float64Array;
  rows = 0;
  problems: CellProblem[] = [];

  constructor(columns: number) {
    this.columns = columns;
    this.rowsMax = Math.max(1, Math.min(SCAN_ROWS_MAX, Math.floor(SCAN_CELLS_MAX / Math.max(1, columns))));
    this.starts = new Int32Array(this.rowsMax * columns);
    this.lengths = new Int32Array(this.rowsMax * columns);
    this.lines = new Float64Array(this.rowsMax);
  }

  clear(): void {
    this.rows = 0;
    this.problems = [];
  }

  /** The row under way has `code` in all its cells; `nullRow` is to be called by formats that left cells unset. */
  rejectRow(code: UnrepresentableCell['code']): void {
    this.nullRow();
    this.problems.push({ row: this.rows, column: -1, code });
  }

  nullRow(): void {
    for (let cell = this.rows; cell < this.lengths.length; cell += this.rowsMax) this.lengths[cell] = NULL_LENGTH;
  }
}

/** Some cells of one column: those at `first` and the `count - 1` after it. */
export interface Cells {
  source: ByteSource;
  starts: Int32Array;
  lengths: Int32Array;
  lines: Float64Array;
  /** Of `lines`. */
  firstRow: number;
  first: number;
  count: number;
  /** Every cell's text is known to be text: valid UTF-8, without NUL and without replacement characters. */
  clean: boolean;
}

/** Appends the cells to a column. */
export type Fill = (cells: Cells) => void;

/** A cell that Arrow cannot hold as its type: it was appended as a null, at `row` of its builder. */
export type Report = (row: number, code: UnrepresentableCell['code']) => void;

/** Appends the cell of `length` bytes at `start`, or says that it has not the plain form of its type. */
export type AppendPlain = (bytes: Uint8Array, start: number, length: number) => boolean;
