import type { ByteSource } from '../../columnar/builders/index.ts';

const BYTES_FIRST = 512 * 1024;
/** Short text is copied by words of four bytes: this much may be read behind the last byte. */
const SLACK_BYTES = 16;
/** No cell begins at 0, which stands for a null. */
const HEAD_BYTES = 8;

/** What has arrived of a response and was not used yet, in one buffer that is used again. */
export class Window implements ByteSource {
  bytes = Buffer.alloc(BYTES_FIRST + SLACK_BYTES);
  view = viewOf(this.bytes);
  start = HEAD_BYTES;
  end = HEAD_BYTES;

  get length(): number {
    return this.end - this.start;
  }

  append(chunk: Buffer): void {
    this.makeRoom(chunk.length);
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }

  /** Takes `count` bytes at `at` out of the middle. */
  remove(at: number, count: number): void {
    this.bytes.copyWithin(at, at + count, this.end);
    this.end -= count;
  }

  private makeRoom(needed: number): void {
    const room = this.bytes.length - SLACK_BYTES;
    if (this.end + needed <= room) return;
    this.bytes.copyWithin(HEAD_BYTES, this.start, this.end);
    this.end -= this.start - HEAD_BYTES;
    this.start = HEAD_BYTES;
    if (this.end + needed <= room) return;
    const larger = Buffer.alloc(Math.max(room * 2, this.end + needed) + SLACK_BYTES);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
