/**
 * What servers of one exchange say to each other about the log. A connection carries frames in both directions:
 *
 *     length   u32, big endian    of everything after it
 *     version  u8                 of this protocol
 *     kind     u8                 a question, `answer` or `failure`
 *     number   u32                of the question, chosen by who asks; its answer has the same
 *     pieces   (u32 length, bytes) each
 *
 *     question     its pieces                    pieces of its answer
 *     append       leaves                        head, index of the first, one proof a leaf
 *     head         –                             head
 *     prove        index                         head, index, proof, leaf
 *     consistency  older size, newer size        proof
 *     drain        –                             count
 *
 * A head is its note; a proof its hashes, end to end; a count, size or index eight bytes, big endian. A failure has two
 * pieces: code and message. Answers come in any order.
 */
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';

export const questions = { append: 1, head: 2, prove: 3, consistency: 4, drain: 5 } as const;
export type Question = keyof typeof questions;
export const ANSWER = 128;
export const FAILURE = 129;

export interface Frame {
  kind: number;
  number: number;
  pieces: Buffer[];
}

const VERSION = 1;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 6;
const COUNT_BYTES = 8;

/** @throws AUDIT_LEAF_INVALID where it is larger than a frame may be: nothing was sent then */
export function encodeFrame({ kind, number, pieces }: Frame): Buffer {
  let length = HEADER_BYTES;
  for (const piece of pieces) length += LENGTH_BYTES + piece.length;
  if (length > limits.auditFrameBytesMax) {
    throw new HuitongError('AUDIT_LEAF_INVALID', 'more at once than one frame between servers holds');
  }
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt8(VERSION, 4);
  frame.writeUInt8(kind, 5);
  frame.writeUInt32BE(number, 6);
  let at = LENGTH_BYTES + HEADER_BYTES;
  for (const piece of pieces) {
    frame.writeUInt32BE(piece.length, at);
    piece.copy(frame, at + LENGTH_BYTES);
    at += LENGTH_BYTES + piece.length;
  }
  return frame;
}

/** Cuts what arrives into frames. It holds at most one frame that is not complete. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** The frames that are complete with this chunk. Throws AUDIT_UNAVAILABLE where the other side speaks otherwise. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      const length = this.#peekLength();
      if (length === undefined || this.#bytes < LENGTH_BYTES + length) return frames;
      frames.push(decodeFrame(this.#take(LENGTH_BYTES + length).subarray(LENGTH_BYTES)));
    }
  }

  #peekLength(): number | undefined {
    if (this.#bytes < LENGTH_BYTES) return undefined;
    if ((this.#chunks[0] as Buffer).length < LENGTH_BYTES) this.#chunks = [Buffer.concat(this.#chunks)];
    const length = (this.#chunks[0] as Buffer).readUInt32BE(0);
    if (length < HEADER_BYTES || length > limits.auditFrameBytesMax) throw garbled('a frame’s length');
    return length;
  }

  #take(bytes: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#bytes -= bytes;
    this.#chunks = this.#bytes === 0 ? [] : [all.subarray(bytes)];
    return all.subarray(0, bytes);
  }
}

function decodeFrame(body: Buffer): Frame {
  if (body.readUInt8(0) !== VERSION) throw garbled('its version');
  const pieces: Buffer[] = [];
  let at = HEADER_BYTES;
  while (at < body.length) {
    const start = at + LENGTH_BYTES;
    const end = start <= body.length ? start + body.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > body.length) throw garbled('a piece’s length');
    pieces.push(body.subarray(start, end));
    at = end;
  }
  return { kind: body.readUInt8(1), number: body.readUInt32BE(2), pieces };
}

export function encodeCount(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(COUNT_BYTES);
  bytes.writeBigUInt64BE(BigInt(count));
  return bytes;
}

/** @throws AUDIT_UNAVAILABLE where it is none */
export function decodeCount(bytes: Buffer | undefined): number {
  if (bytes?.length !== COUNT_BYTES) throw garbled('a count');
  const count = bytes.readBigUInt64BE();
  if (count > BigInt(Number.MAX_SAFE_INTEGER)) throw garbled('a count');
  return Number(count);
}

export function garbled(what: string): HuitongError {
  return new HuitongError('AUDIT_UNAVAILABLE', `the other server speaks another protocol: ${what}`, {
    hint: 'Run the same release on every server of the exchange.',
  });
}
