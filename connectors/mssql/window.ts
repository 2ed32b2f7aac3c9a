import type { ByteSource } from '../../columnar/builders/index.ts';

const BYTES_FIRST = 512 * 1024;
/** Short text is read by words of eight bytes: this much may be read behind the last byte. */
const SLACK_BYTES = 16;

/**
 * What has arrived of a response and was not used yet, in one buffer that is used again.
 *
 * Before it lies a picture of a null for every framing, so that a null of an NBCROW, which has no bytes of its own, is
 * a position like any other.
 */
export class Window implements ByteSource {
  bytes = Buffer.alloc(BYTES_FIRST + SLACK_BYTES);
  view = viewOf(this.bytes);
  start = HEAD_BYTES;
  end = HEAD_BYTES;

  constructor() {
    this.drawNulls();
  }

  get length(): number {
    return this.end - this.start;
  }

  append(packet: Buffer): void {
    this.makeRoom(packet.length);
    packet.copy(this.bytes, this.end);
    this.end += packet.length;
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

  private drawNulls(): void {
    this.bytes.fill(0x00, 0, NULL_ONES);
    this.bytes.fill(0xff, NULL_ONES, HEAD_BYTES);
  }
}

/** Nulls by framing: a length or a pointer of zero; a length or a total of all ones. */
export const NULL_ZEROS = 0;
export const NULL_ONES = 8;
const HEAD_BYTES = 32;

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
