/**
 * A row that is larger than the window should be, taken cell by cell, and its long cells in pieces as they come: so a
 * cell of 64 MiB is held once, in its column, and nowhere else. Such a row can span packets, whose headers are taken
 * out of the window as they come.
 */
import type { Filler } from './fill.ts';
import { CONTINUED_BYTES, HEADER_BYTES } from './packets.ts';
import { countAt, countBytes, type RowScanner } from './scan.ts';

/** Takes a window's start from one row's first byte to its end. */
export class LargeRow {
  private readonly scanner: RowScanner;
  private readonly fillers: Filler[];
  private column = 0;
  private bitmap: Buffer | undefined;
  /** From the window's start on: bytes of the packets that have begun. */
  private packetLeft: number;
  private isLastPacket: boolean;
  /** Of the long cell under way: bytes left of it; −1: none is under way. */
  private cellLeft = -1;

  constructor(scanner: RowScanner, fillers: Filler[]) {
    this.scanner = scanner;
    this.fillers = fillers;
    const { window } = scanner.scanned;
    this.packetLeft = window.bytes.readUIntLE(window.start, 3);
    this.isLastPacket = this.packetLeft < CONTINUED_BYTES;
    window.start += HEADER_BYTES;
  }

  private get filler(): Filler {
    return this.fillers[this.column] as Filler;
  }

  /** The column that is being read. */
  get at(): number {
    return this.column;
  }

  /** Goes on as far as the window reaches; true at the end of the row. */
  advance(): boolean {
    this.joinPackets();
    this.bitmap ??= this.takeBitmap();
    if (this.bitmap === undefined) return false;
    for (; this.column < this.fillers.length; this.column++) {
      if (!this.takeCell(this.bitmap)) return false;
      this.joinPackets();
    }
    if (!this.isLastPacket) return false;
    if (this.packetLeft > 0) throw new Error('a row’s cells do not end where the row ends');
    return true;
  }

  /** The last of the packets may be empty, so the row ends with it and not with its last cell. */
  private joinPackets(): void {
    const { window } = this.scanner.scanned;
    while (!this.isLastPacket && window.length >= this.packetLeft + HEADER_BYTES) {
      const header = window.start + this.packetLeft;
      const length = window.bytes.readUIntLE(header, 3);
      window.remove(header, HEADER_BYTES);
      this.packetLeft += length;
      this.isLastPacket = length < CONTINUED_BYTES;
    }
  }

  /** Payload that is there. */
  private get available(): number {
    return Math.min(this.packetLeft, this.scanner.scanned.window.length);
  }

  private skip(bytes: number): void {
    this.scanner.scanned.window.start += bytes;
    this.packetLeft -= bytes;
  }

  private takeBitmap(): Buffer | undefined {
    const { window } = this.scanner.scanned;
    const bytes = 1 + this.scanner.bitmapBytes;
    if (this.available < bytes) return undefined;
    const bitmap = Buffer.from(window.bytes.subarray(window.start + 1, window.start + bytes));
    this.skip(bytes);
    return bitmap;
  }

  private takeCell(bitmap: Buffer): boolean {
    if (this.cellLeft >= 0) return this.takePieces();
    const { window } = this.scanner.scanned;
    if (this.scanner.isNull(bitmap, 0, this.column)) {
      this.fill(0);
      return true;
    }
    const width = this.scanner.widths[this.column] as number;
    if (this.available < Math.max(width, 1)) return false;
    if (width > 0) return this.takeWhole(width);
    const count = countBytes(window.bytes[window.start] as number);
    if (this.available < count) return false;
    const length = countAt(window, window.start);
    if (this.available >= count + length) return this.takeWhole(count + length);
    if (this.filler.pieces === undefined) return false;
    this.skip(count);
    this.cellLeft = length;
    return this.takePieces();
  }

  private takeWhole(bytes: number): boolean {
    this.fill(this.scanner.scanned.window.start);
    this.skip(bytes);
    return true;
  }

  private takePieces(): boolean {
    const { window } = this.scanner.scanned;
    while (this.cellLeft > 0) {
      const length = Math.min(this.cellLeft, this.available);
      if (length === 0) return false;
      this.filler.pieces?.write(window, window.start, length);
      this.skip(length);
      this.cellLeft -= length;
      this.joinPackets();
    }
    this.cellLeft = -1;
    this.filler.pieces?.end();
    return true;
  }

  private fill(at: number): void {
    const { scanned } = this.scanner;
    scanned.offsets[this.column] = at;
    scanned.rows = 1;
    this.filler.fill(scanned, this.column);
  }
}
