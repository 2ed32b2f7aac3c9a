/**
 * What a stored object is checked against piece by piece: a tag for each 64 KiB of it, so that any range can be checked
 * before a byte of it leaves. A digest tells only at the end, and only of the whole.
 *
 * A tag is the one of ChaCha20-Poly1305 (RFC 8439) over the chunk as additional data, without plaintext; the key is the
 * object's own, random, and the nonce is the chunk's place, so no pair of them is used twice. The tags lie in the
 * catalog, not beside the object: who can write to the store alone cannot make a tag that fits. It costs a quarter of
 * SHA-256, and less than CRC-32 (docs/decisions/0240-parts-are-checked-in-chunks.md).
 */
import { createCipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import { type ByteRange, type OpenObject, rangeWithin } from './store.ts';

/** Not more than the smallest buffer that is lent (limits.readBufferSmallBytes), so that one always fits. */
export const CHUNK_BYTES = 64 * 1024;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const CIPHER = 'chacha20-poly1305';

export interface ChunkTags {
  key: Uint8Array;
  /** 16 bytes a chunk, in order. */
  tags: Uint8Array;
}

/** Makes the tags of bytes as they go by. */
export class TagMaker {
  readonly #key = randomBytes(KEY_BYTES);
  readonly #tagOf = tagger(this.#key);
  readonly #tags: Uint8Array[] = [];
  /** Of a chunk whose end has not come yet. */
  readonly #begun = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #begunBytes = 0;

  add(bytes: Uint8Array): void {
    let rest = bytes;
    while (this.#begunBytes + rest.byteLength >= CHUNK_BYTES) {
      const taken = rest.subarray(0, CHUNK_BYTES - this.#begunBytes);
      rest = rest.subarray(taken.byteLength);
      if (this.#begunBytes === 0) this.#end(taken);
      else {
        this.#begun.set(taken, this.#begunBytes);
        this.#end(this.#begun);
      }
      this.#begunBytes = 0;
    }
    this.#begun.set(rest, this.#begunBytes);
    this.#begunBytes += rest.byteLength;
  }

  /** Once, when all bytes have been added. */
  finish(): ChunkTags {
    if (this.#begunBytes > 0) this.#end(this.#begun.subarray(0, this.#begunBytes));
    return { key: this.#key, tags: Buffer.concat(this.#tags) };
  }

  #end(chunk: Uint8Array): void {
    this.#tags.push(this.#tagOf(chunk, this.#tags.length));
  }
}

/**
 * A range of an object (all of it where absent), in chunks that are lent; each piece has been checked before it is.
 * @throws OBJECT_CORRUPT where a chunk that the range touches is not what it was; REQUEST_INVALID as `lend`
 */
export async function* lendChecked(
  object: OpenObject,
  digest: string,
  { key, tags }: ChunkTags,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  const { sizeBytes } = object;
  const { offset, length } = rangeWithin({ digest, sizeBytes }, range);
  if (tags.byteLength !== Math.ceil(sizeBytes / CHUNK_BYTES) * TAG_BYTES) throw changed(digest);
  if (length === 0) return;
  const tagOf = tagger(key);
  const first = Math.floor(offset / CHUNK_BYTES);
  const start = first * CHUNK_BYTES;
  const end = Math.min(Math.ceil((offset + length) / CHUNK_BYTES) * CHUNK_BYTES, sizeBytes);
  let position = start;
  for await (const piece of inChunks(object.lend({ offset: start, length: end - start }), end - start)) {
    for (let at = 0; at < piece.byteLength; at += CHUNK_BYTES) {
      const place = (position + at) / CHUNK_BYTES;
      const tag = tags.subarray(place * TAG_BYTES, (place + 1) * TAG_BYTES);
      if (Buffer.compare(tagOf(piece.subarray(at, at + CHUNK_BYTES), place), tag) !== 0) throw changed(digest);
    }
    yield piece.subarray(Math.max(offset - position, 0), offset + length - position);
    position += piece.byteLength;
  }
}

/** The same bytes, cut where chunks end: a store may give pieces of any length. Without a copy where they fit. */
async function* inChunks(pieces: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  let begun: Buffer | undefined;
  let begunBytes = 0;
  for await (const piece of pieces) {
    let rest = piece;
    if (begun !== undefined && begunBytes > 0) {
      const taken = rest.subarray(0, CHUNK_BYTES - begunBytes);
      begun.set(taken, begunBytes);
      begunBytes += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (begunBytes < CHUNK_BYTES && begunBytes < left) continue;
      yield begun.subarray(0, begunBytes);
      left -= begunBytes;
      begunBytes = 0;
    }
    const whole = rest.byteLength === left ? left : rest.byteLength - (rest.byteLength % CHUNK_BYTES);
    if (whole > 0) yield rest.subarray(0, whole);
    left -= whole;
    if (whole === rest.byteLength) continue;
    begun ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    begun.set(rest.subarray(whole));
    begunBytes = rest.byteLength - whole;
  }
}

function tagger(keyBytes: Uint8Array): (chunk: Uint8Array, place: number) => Buffer {
  const key: KeyObject = createSecretKey(keyBytes);
  const nonce = Buffer.alloc(NONCE_BYTES);
  return (chunk, place) => {
    nonce.writeUInt32LE(place);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(chunk, { plaintextLength: 0 });
    cipher.final();
    return cipher.getAuthTag();
  };
}

function changed(digest: string): HuitongError {
  return new HuitongError('OBJECT_CORRUPT', 'a stored object is not what was put', { at: digest });
}
