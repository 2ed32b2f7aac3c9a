/**
 * The first of two phases: where each cell of each complete row begins ("Binary Protocol Resultset Row"). The second is
 * a loop a column (`fill-*.ts`): so decoding costs the same a cell with six columns and with a thousand.
 */
import { CONTINUED_BYTES, counts, HEADER_BYTES, markers, type WireColumn } from './packets.ts';
import type { Window } from './window.ts';

/** Offsets kept at a time. */
const OFFSETS = 64 * 1024;
/** A row of so many bytes that has not arrived whole is taken cell by cell. */
const LARGE_ROW_BYTES = 1024 * 1024;
/** The first two bits of a row's bitmap are of no column. */
const BITMAP_OFFSET = 2;

/** `offsets[row * columns + column]` is where a cell begins in `window`, its length included; 0: a null. */
export interface ScannedRows {
  readonly window: Window;
  readonly offsets: Int32Array;
  readonly columns: number;
  rows: number;
}

/** Why scanning stopped. */
export type ScanStop = 'rows' | 'bytes' | 'incomplete' | 'large' | 'end';

export class RowScanner {
  readonly scanned: ScannedRows;
  readonly widths: Uint8Array;
  /** Bytes of the bitmap that tells nulls. */
  readonly bitmapBytes: number;
  private readonly rowsMax: number;
  private readonly rowBytesFixed: number;

  /** `rowBytesFixed`: what a row takes in Arrow besides the bytes of its text. */
  constructor(window: Window, columns: WireColumn[], rowBytesFixed: number) {
    this.widths = Uint8Array.from(columns, (column) => column.width);
    this.bitmapBytes = (columns.length + BITMAP_OFFSET + 7) >> 3;
    this.rowsMax = Math.max(1, Math.floor(OFFSETS / columns.length));
    this.rowBytesFixed = rowBytesFixed;
    const offsets = new Int32Array(this.rowsMax * columns.length);
    this.scanned = { window, offsets, columns: columns.length, rows: 0 };
  }

  /** What is left of `bytes` after `scan`. */
  left = 0;

  /**
   * Scans complete rows from the window's start on, at most `rows` and `bytes` (an upper bound of what they take in
   * Arrow), and moves the start behind them.
   */
  scan(rows: number, bytes: number): ScanStop {
    const { scanned } = this;
    const { window, columns } = scanned;
    const max = Math.min(rows, this.rowsMax);
    this.left = bytes;
    scanned.rows = 0;
    while (scanned.rows < max) {
      const { start } = window;
      if (window.length <= HEADER_BYTES) return 'incomplete';
      if (window.bytes[start + HEADER_BYTES] !== markers.row) return 'end';
      const payload = window.bytes.readUIntLE(start, 3);
      const next = start + HEADER_BYTES + payload;
      if (payload === CONTINUED_BYTES) return 'large';
      if (next > window.end) return payload >= LARGE_ROW_BYTES ? 'large' : 'incomplete';
      this.left -= payload + this.rowBytesFixed;
      if (this.left < 0) return 'bytes';
      this.scanRow(start + HEADER_BYTES, next, scanned.rows * columns);
      window.start = next;
      scanned.rows++;
    }
    return 'rows';
  }

  /** Whether the column's cell is null by the bitmap at `bitmap`. */
  isNull(bytes: Buffer, bitmap: number, column: number): boolean {
    const bit = column + BITMAP_OFFSET;
    return ((bytes[bitmap + (bit >> 3)] as number) & (1 << (bit & 7))) !== 0;
  }

  private scanRow(start: number, end: number, base: number): void {
    const { widths } = this;
    const { window, offsets } = this.scanned;
    const { bytes } = window;
    const bitmap = start + 1;
    let at = bitmap + this.bitmapBytes;
    for (let i = 0, bit = BITMAP_OFFSET; i < widths.length; i++, bit++) {
      if (((bytes[bitmap + (bit >> 3)] as number) & (1 << (bit & 7))) !== 0) {
        offsets[base + i] = 0;
        continue;
      }
      offsets[base + i] = at;
      const width = widths[i] as number;
      if (width > 0) {
        at += width;
        continue;
      }
      const count = bytes[at] as number;
      at = count < counts.two ? at + 1 + count : countedEnd(window, at);
    }
    if (at !== end) throw new Error('a row’s cells do not end where the row ends');
  }
}

/** Bytes that tell a counted cell's length. */
export function countBytes(first: number): number {
  return first < counts.two ? 1 : first === counts.two ? 3 : first === counts.three ? 4 : 9;
}

/** The length of the counted cell at `at`. */
export function countAt({ bytes, view }: Window, at: number): number {
  const first = bytes[at] as number;
  if (first < counts.two) return first;
  if (first === counts.two) return view.getUint16(at + 1, true);
  if (first === counts.three) return view.getUint16(at + 1, true) | ((bytes[at + 3] as number) << 16);
  return view.getUint32(at + 1, true) + view.getUint32(at + 5, true) * 4_294_967_296;
}

function countedEnd(window: Window, at: number): number {
  return at + countBytes(window.bytes[at] as number) + countAt(window, at);
}
