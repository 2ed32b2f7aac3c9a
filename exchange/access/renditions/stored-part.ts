/** Reading a part out of the store: its index by ranges, or the whole of it in order, hashed on the way. */
import { createHash } from 'node:crypto';
import { type PartIndex, type ReadAt, readPartIndex } from '../../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { ByteRange, ObjectStore, OpenObject, StoredObject } from '../../store/store.ts';

/** Where the batches of a part are. Throws OBJECT_MISSING, ARROW_INVALID, OBJECT_CORRUPT where it is too short. */
export async function readStoredIndex(store: Pick<ObjectStore, 'open'>, part: ManifestPart): Promise<PartIndex> {
  const object = await store.open(part.digest);
  try {
    const readAt: ReadAt = (offset, length) => rangeOf(object, part.digest, { offset, length });
    return await readPartIndex(readAt, part.sizeBytes);
  } finally {
    await object.close();
  }
}

/** One range of a stored part, in chunks that are lent. Throws OBJECT_MISSING, and OBJECT_CORRUPT as `lentRange`. */
export async function* storedRange(
  store: Pick<ObjectStore, 'open'>,
  digest: string,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const object = await store.open(digest);
  try {
    yield* lentRange(object, digest, range);
  } finally {
    await object.close();
  }
}

/** All of a stored object, in bytes of one's own. Throws as `storedRange` does. */
export function storedBytes(store: ObjectStore, { digest, sizeBytes }: StoredObject): Promise<Uint8Array> {
  return gathered(storedRange(store, digest, { offset: 0, length: sizeBytes }), sizeBytes);
}

/** Throws OBJECT_CORRUPT where the part is too short: the range comes from the manifest and the part's own index. */
export async function* lentRange(
  object: OpenObject,
  digest: string,
  { offset, length }: ByteRange,
): AsyncGenerator<Uint8Array> {
  if (length === 0) return;
  try {
    yield* object.lend({ offset, length });
  } catch (e: unknown) {
    throw isHuitongError(e, 'REQUEST_INVALID') ? corrupt(digest, e) : e;
  }
}

/** The same, in bytes of one's own. */
export function rangeOf(object: OpenObject, digest: string, range: ByteRange): Promise<Uint8Array> {
  return gathered(lentRange(object, digest, range), range.length);
}

/** What is lent, copied into bytes of one's own. */
async function gathered(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return bytes;
}

/**
 * A part that is read from beginning to end, though only some ranges are wanted: what lies between them is hashed too,
 * so that at the end it is certain that the part is the one that was published.
 */
export class PartInOrder {
  readonly #digest: string;
  readonly #object: OpenObject;
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #hash = createHash('sha256');
  #position = 0;
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(digest: string, object: OpenObject) {
    this.#digest = digest;
    this.#object = object;
    this.#chunks = object.lend();
  }

  static async open(store: Pick<ObjectStore, 'open'>, digest: string): Promise<PartInOrder> {
    return new PartInOrder(digest, await store.open(digest));
  }

  /** For `readBatch`; offsets must rise from call to call. */
  readonly readAt: ReadAt = (offset, length) => gathered(this.range(offset, length), length);

  /** Chunks that are lent, until the next is asked for. */
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

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
    await this.#object.close();
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
