/** Reading a part out of the store: its index by ranges, or the whole of it in order, hashed on the way. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type PartIndex, type ReadAt, readPartIndex } from '../../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { ByteRange, ObjectStore } from '../../store/store.ts';

/** Where the batches of a part are. Throws OBJECT_MISSING, ARROW_INVALID. */
export function readStoredIndex(store: ObjectStore, part: ManifestPart): Promise<PartIndex> {
  return readPartIndex(rangeReader(store, part.digest), part.sizeBytes);
}

function rangeReader(store: ObjectStore, digest: string): ReadAt {
  return async (offset, length) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of storedRange(store, digest, { offset, length })) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
}

/** One range of a stored part, in chunks. Throws OBJECT_MISSING, and OBJECT_CORRUPT where the part is too short. */
export async function* storedRange(store: ObjectStore, digest: string, range: ByteRange): AsyncGenerator<Uint8Array> {
  if (range.length === 0) return;
  // The range comes from the manifest and the part's own index: where it lies outside, it is the part that is wrong.
  const stream = await store.read(digest, { offset: range.offset, length: range.length }).catch((e: unknown) => {
    throw isHuitongError(e, 'REQUEST_INVALID') ? corrupt(digest, e) : e;
  });
  yield* stream;
}

/**
 * A part that is read from beginning to end, though only some ranges are wanted: what lies between them is hashed too,
 * so that at the end it is certain that the part is the one that was published.
 */
export class PartInOrder {
  readonly #digest: string;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #hash = createHash('sha256');
  #position = 0;
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(digest: string, stream: Readable) {
    this.#digest = digest;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  static async open(store: ObjectStore, digest: string): Promise<PartInOrder> {
    return new PartInOrder(digest, await store.read(digest));
  }

  /** For `readBatch`; offsets must rise from call to call. */
  readonly readAt: ReadAt = async (offset, length) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.range(offset, length)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    while (this.#position < offset) await this.#take(offset - this.#position);
    for (let left = length; left > 0; ) {
      const chunk = await this.#take(left);
      left -= chunk.byteLength;
      yield chunk;
    }
  }

  /** Reads what is left. Throws OBJECT_CORRUPT where the bytes are not those of the digest. */
  async finish(): Promise<void> {
    for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next()) {
      this.#hash.update(next.value);
    }
    if (this.#hash.digest('hex') !== this.#digest) throw corrupt(this.#digest);
  }

  close(): void {
    this.#stream.destroy();
  }

  async #take(most: number): Promise<Uint8Array> {
    if (this.#rest.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw corrupt(this.#digest);
      this.#rest = next.value;
      this.#hash.update(next.value);
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.byteLength);
    this.#position += taken.byteLength;
    return taken;
  }
}

function corrupt(digest: string, cause?: unknown): HuitongError {
  return new HuitongError('OBJECT_CORRUPT', 'a stored part is not what was published', { at: digest, cause });
}
