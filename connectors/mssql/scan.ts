/**
 * The first of two phases: where each cell of each complete row begins ([MS-TDS] 2.2.7.19 "ROW", 2.2.7.13 "NBCROW").
 * The second is a loop a column (`fill-*.ts`): so decoding costs the same a cell with six columns and with a thousand.
 */
import { NULL_ONES, NULL_ZEROS, type Window } from './window.ts';
import { framings, tokens, type WireColumn } from './wire-types.ts';

/** Offsets kept at a time. */
const OFFSETS = 64 * 1024;
/** UTF-16 grows by half at most when it becomes UTF-8. */
const GROWTH_MAX = 1.5;

/** `offsets[row * columns + column]` is where a cell's framing begins in `window`. */
export interface ScannedRows {
  readonly window: Window;
  readonly offsets: Int32Array;
  readonly columns: number;
  rows: number;
}

export class RowScanner {
  readonly scanned: ScannedRows;
  private readonly framings: Uint8Array;
  private readonly nullAt: Uint8Array;
  private readonly rowsMax: number;
  private readonly rowBytesFixed: number;

  /** `rowBytesFixed`: what a row takes in Arrow besides the bytes of its text. */
  constructor(window: Window, columns: WireColumn[], rowBytesFixed: number) {
    this.framings = Uint8Array.from(columns, (column) => column.framing);
    this.nullAt = this.framings.map((framing) =>
      framing === framings.shortCounted || framing === framings.plp ? NULL_ONES : NULL_ZEROS,
    );
    this.rowsMax = Math.max(1, Math.floor(OFFSETS / columns.length));
    this.rowBytesFixed = rowBytesFixed;
    const offsets = new Int32Array(this.rowsMax * columns.length);
    this.scanned = { window, offsets, columns: columns.length, rows: 0 };
  }

  /**
   * Scans complete rows from the window's start on, at most `rows` and `bytes` (an upper bound of what they take in
   * Arrow), and moves the start behind them. A row that must be taken whatever its size: `bytes` infinite, `rows` one.
   * Returns what is left of `bytes`; less than nothing where the next row was left because of them.
   */
  scan(rows: number, bytes: number): number {
    const { scanned } = this;
    const { window, columns } = scanned;
    const max = Math.min(rows, this.rowsMax);
    let left = bytes;
    scanned.rows = 0;
    while (scanned.rows < max) {
      const next = this.scanRow(window, window.start, scanned.rows * columns);
      if (next < 0) break;
      left -= (next - window.start) * GROWTH_MAX + this.rowBytesFixed;
      if (left < 0) return left;
      window.start = next;
      scanned.rows++;
    }
    return left;
  }

  /** Whether the column's cell is null by the bitmap of the NBCROW at `row`. */
  isNullInBitmap(row: number, column: number): boolean {
    const { bytes } = this.scanned.window;
    return bytes[row] === tokens.nbcRow && ((bytes[row + 1 + (column >> 3)] as number) & (1 << (column & 7))) !== 0;
  }

  /** Where the row at `at` has its first cell. */
  firstCell(at: number): number {
    const isNbc = this.scanned.window.bytes[at] === tokens.nbcRow;
    return at + 1 + (isNbc ? (this.framings.length + 7) >> 3 : 0);
  }

  /** The picture of a null in this column. */
  nullOf(column: number): number {
    return this.nullAt[column] as number;
  }

  framingOf(column: number): number {
    return this.framings[column] as number;
  }

  /** Writes the offsets of one row's cells; returns the end of the row, or −1 where it is not complete or no row. */
  private scanRow(window: Window, start: number, base: number): number {
    const { bytes, end } = window;
    const token = bytes[start];
    if (start >= end || (token !== tokens.row && token !== tokens.nbcRow)) return -1;
    const { framings: kinds, nullAt } = this;
    const { offsets } = this.scanned;
    const bitmap = token === tokens.nbcRow ? start + 1 : -1;
    let at = this.firstCell(start);
    for (let i = 0; i < kinds.length; i++) {
      if (bitmap >= 0 && ((bytes[bitmap + (i >> 3)] as number) & (1 << (i & 7))) !== 0) {
        offsets[base + i] = nullAt[i] as number;
        continue;
      }
      if (at >= end) return -1;
      offsets[base + i] = at;
      const framing = kinds[i] as number;
      if (framing === framings.byteCounted) at += 1 + (bytes[at] as number);
      else if (framing === framings.shortCounted) {
        const length = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
        at += length === 0xffff ? 2 : 2 + length;
      } else if (framing >= framings.fixed) at += framing - framings.fixed;
      else {
        at = longCellEnd(window, at, framing);
        if (at < 0) return -1;
      }
    }
    return at <= end ? at : -1;
  }
}

/** Where a cell of one of the rarer framings ends; −1 where that is not in the window. */
export function longCellEnd({ bytes, view, end }: Window, start: number, framing: number): number {
  if (framing === framings.longCounted) {
    return start + 4 <= end ? start + 4 + view.getUint32(start, true) : -1;
  }
  if (framing === framings.pointed) {
    const pointer = bytes[start] as number;
    if (pointer === 0) return start + 1;
    const length = start + 1 + pointer + TIMESTAMP_BYTES;
    return length + 4 <= end ? length + 4 + view.getUint32(length, true) : -1;
  }
  if (start + PLP_TOTAL_BYTES > end) return -1;
  let at = start + PLP_TOTAL_BYTES;
  if (isPlpNull(view, start)) return at;
  while (at + 4 <= end) {
    const chunk = view.getUint32(at, true);
    at += 4 + chunk;
    if (chunk === 0) return at;
  }
  return -1;
}

/** A text pointer is followed by a timestamp, then by the length. */
export const TIMESTAMP_BYTES = 8;
export const PLP_TOTAL_BYTES = 8;

export function isPlpNull(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === 0xffff_ffff && view.getUint32(at + 4, true) === 0xffff_ffff;
}
