/**
 * A row that is larger than the window should be, taken cell by cell, and its long cells chunk by chunk as they come:
 * so a cell of 64 MiB is held once, in its column, and nowhere else.
 */
import type { Filler } from './fill.ts';
import { isPlpNull, longCellEnd, PLP_TOTAL_BYTES, type RowScanner, TIMESTAMP_BYTES } from './scan.ts';
import type { Window } from './window.ts';
import { framings } from './wire-types.ts';

/** Takes a window's start from one row's first byte to its end. */
export class LargeRow {
  private readonly scanner: RowScanner;
  /** By wire column: those that read it. */
  private readonly fillers: Filler[][];
  private readonly isNull: boolean[];
  private column = 0;
  /** Of the long cell under way: bytes left of its chunk; −1: none is under way. */
  private chunkLeft = -1;

  constructor(scanner: RowScanner, fillers: Filler[][]) {
    this.scanner = scanner;
    this.fillers = fillers;
    const { window } = scanner.scanned;
    this.isNull = fillers.map((_, column) => scanner.isNullInBitmap(window.start, column));
    window.start = scanner.firstCell(window.start);
  }

  /** The wire column that is being read. */
  get at(): number {
    return this.column;
  }

  /** Goes on as far as the window reaches; true at the end of the row. */
  advance(): boolean {
    while (this.column < this.fillers.length) {
      if (!this.takeCell(this.scanner.scanned.window)) return false;
      this.column++;
    }
    return true;
  }

  private takeCell(window: Window): boolean {
    if (this.isNull[this.column]) {
      this.fill(this.scanner.nullOf(this.column));
      return true;
    }
    const framing = this.scanner.framingOf(this.column);
    if (framing === framings.plp) return this.chunkLeft < 0 ? this.beginChunked(window) : this.takeChunks(window);
    if (framing === framings.pointed) return this.chunkLeft < 0 ? this.beginPointed(window) : this.takeChunks(window);
    const end = this.shortCellEnd(window, framing);
    if (end < 0 || end > window.end) return false;
    this.fill(window.start);
    window.start = end;
    return true;
  }

  private shortCellEnd({ bytes, start, end }: Window, framing: number): number {
    if (framing >= framings.fixed) return start + framing - framings.fixed;
    if (framing === framings.byteCounted) return start < end ? start + 1 + (bytes[start] as number) : -1;
    if (framing === framings.longCounted) return longCellEnd(this.scanner.scanned.window, start, framing);
    if (start + 2 > end) return -1;
    const length = bytes.readUInt16LE(start);
    return length === 0xffff ? start + 2 : start + 2 + length;
  }

  private beginChunked(window: Window): boolean {
    if (window.length < PLP_TOTAL_BYTES) return false;
    const at = window.start;
    window.start += PLP_TOTAL_BYTES;
    if (isPlpNull(window.view, at)) {
      this.fill(at);
      return true;
    }
    this.begin(0);
    return this.takeChunks(window);
  }

  private beginPointed(window: Window): boolean {
    const pointer = window.bytes[window.start] as number;
    if (window.length === 0 || (pointer > 0 && window.length < 1 + pointer + TIMESTAMP_BYTES + 4)) return false;
    if (pointer === 0) {
      this.fill(window.start);
      window.start++;
      return true;
    }
    const at = window.start + 1 + pointer + TIMESTAMP_BYTES;
    window.start = at + 4;
    this.begin(window.view.getUint32(at, true));
    return this.takeChunks(window);
  }

  private begin(chunk: number): void {
    this.chunkLeft = chunk;
    for (const { writer } of this.fillers[this.column] as Filler[]) writer?.begin();
  }

  private takeChunks(window: Window): boolean {
    const isChunked = this.scanner.framingOf(this.column) === framings.plp;
    for (;;) {
      const length = Math.min(this.chunkLeft, window.length);
      if (length > 0) {
        for (const { writer } of this.fillers[this.column] as Filler[]) writer?.write(window, window.start, length);
        window.start += length;
        this.chunkLeft -= length;
      }
      if (this.chunkLeft > 0) return false;
      if (!isChunked) break;
      if (window.length < 4) return false;
      this.chunkLeft = window.view.getUint32(window.start, true);
      window.start += 4;
      if (this.chunkLeft === 0) break;
    }
    this.chunkLeft = -1;
    for (const { finish } of this.fillers[this.column] as Filler[]) finish?.();
    return true;
  }

  private fill(at: number): void {
    const { scanned } = this.scanner;
    scanned.offsets[this.column] = at;
    scanned.rows = 1;
    for (const { fill } of this.fillers[this.column] as Filler[]) fill(scanned, this.column);
  }
}
