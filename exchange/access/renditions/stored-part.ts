/** Reading a part out of the store: its index, or any range of it. */
import { type PartIndex, type ReadAt, readPartIndex } from '../../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { Recent } from '../../../lib/recent.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import type { ByteRange, ObjectStore, OpenObject, StoredObject } from '../../store/store.ts';

type Parts = Pick<PartStore, 'open'>;

const indexes = new WeakMap<Parts, Recent<PartIndex>>();

/** Where the batches of a part are. Throws OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID for what was never an Arrow file. */
export async function readStoredIndex(store: Parts, part: ManifestPart): Promise<PartIndex> {
  const known = indexes.get(store) ?? new Recent(limits.partIndexesRecentBytes);
  indexes.set(store, known);
  const recently = known.find(part.digest);
  if (recently !== undefined) return recently;
  const object = await store.open(part.digest);
  try {
    const readAt: ReadAt = (offset, length) => rangeOf(object, part.digest, { offset, length });
    const index = await readPartIndex(readAt, part.sizeBytes);
    known.add(part.digest, index, bytesOf(index));
    return index;
  } finally {
    await object.close();
  }
}

/** About what it takes in memory. */
function bytesOf({ batches }: PartIndex): number {
  const [{ metadata } = { metadata: { nodes: [], buffers: [] } }] = batches;
  return 1024 + batches.length * (256 + 64 * (metadata.nodes.length + metadata.buffers.length));
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

function corrupt(digest: string, cause?: unknown): HuitongError {
  return new HuitongError('OBJECT_CORRUPT', 'a stored part is not what was published', { at: digest, cause });
}
