/** Rows put together cell by cell in the form in which COPY would have sent them, for the decoder of COPY. */
import type { ByteSource } from '../../columnar/builders/index.ts';
import { LENGTH_BYTES, NULL_LENGTH } from './cells.ts';
import { COPY_DATA, HEADER_BYTES } from './wire.ts';

const BYTES_FIRST = 256 * 1024;
/** See `ByteSource`. */
const SLACK_BYTES = 8;
/** Signature, flags, and the length of the header's extension (COPY, "Binary Format"). */
const FILE_HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

export class CopyRows implements ByteSource {
  bytes = Buffer.alloc(BYTES_FIRST);
  view = viewOf(this.bytes);
  /** What is not taken yet lies from `start` to `end`. */
  start = 0;
  end = 0;
  private row = 0;

  constructor() {
    this.beginMessage();
    this.append(FILE_HEADER, 0, FILE_HEADER.length);
    this.endRow();
  }

  get waitingBytes(): number {
    return this.end - this.start;
  }

  beginRow(cells: number): void {
    this.beginMessage();
    this.reserve(2);
    this.view.setInt16(this.end, cells);
    this.end += 2;
  }

  appendNull(): void {
    this.reserve(LENGTH_BYTES);
    this.view.setInt32(this.end, NULL_LENGTH);
    this.end += LENGTH_BYTES;
  }

  /** A cell that lies at `at` behind its length. */
  appendCell(source: ByteSource, at: number): void {
    this.append(source.bytes, at, at + LENGTH_BYTES + source.view.getInt32(at));
  }

  appendText(text: string): void {
    const bytes = Buffer.from(text);
    this.reserve(LENGTH_BYTES);
    this.view.setInt32(this.end, bytes.length);
    this.end += LENGTH_BYTES;
    this.append(bytes, 0, bytes.length);
  }

  endRow(): void {
    this.view.setInt32(this.row + 1, this.end - this.row - 1);
  }

  private beginMessage(): void {
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
    }
    this.reserve(HEADER_BYTES);
    this.row = this.end;
    this.view.setUint8(this.row, COPY_DATA);
    this.end += HEADER_BYTES;
  }

  private append(bytes: Uint8Array, from: number, to: number): void {
    this.reserve(to - from);
    this.bytes.set(bytes.subarray(from, to), this.end);
    this.end += to - from;
  }

  private reserve(needed: number): void {
    const wanted = this.end + needed + SLACK_BYTES;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.bytes.length, wanted));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
