/**
 * Parts as they are put and read: whatever is read has been checked, in whatever pieces and order (chunk-tags.ts). A
 * part gets its tags when it is put. One that has none, because it was put by an earlier release or its tags were lost,
 * gets them when it is opened, in one reading that holds it against its digest.
 */
import { createHash } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { Recent } from '../../lib/recent.ts';
import { type ChunkTags, lendChecked, TagMaker } from './chunk-tags.ts';
import type { ObjectStore, OpenObject, StoredObject } from './store.ts';

/** Every piece is checked before it is lent. Throws OBJECT_CORRUPT where it is not what was put. */
export interface CheckedObject extends OpenObject {
  readonly checked: true;
}

export interface PartStore {
  /** Throws OBJECT_MISSING; OBJECT_CORRUPT where it has no tags and not its digest. */
  open(digest: string): Promise<CheckedObject>;
  /** Throws what `ObjectStore.put` throws. */
  put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredObject>;
}

/** Where tags are kept: not in the store. */
export interface TagKeeper {
  find(digest: string): Promise<ChunkTags | undefined>;
  keep(digest: string, tags: ChunkTags): Promise<void>;
}

export function openPartStore(store: Pick<ObjectStore, 'open' | 'put'>, keeper: TagKeeper): PartStore {
  // They hold for ever: a digest names its bytes.
  const recent = new Recent<ChunkTags>(limits.chunkTagsRecentBytes);
  const noted = (digest: string, tags: ChunkTags) => recent.add(digest, tags, tags.tags.byteLength);
  const remembered = async (digest: string, tags: ChunkTags) => {
    await keeper.keep(digest, tags);
    noted(digest, tags);
    return tags;
  };
  const tagsOf = async (digest: string, object: OpenObject) => {
    const recently = recent.find(digest);
    if (recently !== undefined) return recently;
    const kept = await keeper.find(digest);
    if (kept === undefined) return remembered(digest, await madeFrom(object, digest));
    noted(digest, kept);
    return kept;
  };
  return {
    async open(digest) {
      const object = await store.open(digest);
      try {
        const tags = await tagsOf(digest, object);
        const { sizeBytes } = object;
        const lend: OpenObject['lend'] = (range) => lendChecked(object, digest, tags, range);
        return { sizeBytes, lend, close: () => object.close(), checked: true };
      } catch (e: unknown) {
        await object.close();
        throw e;
      }
    },
    async put(bytes, expected) {
      const maker = new TagMaker();
      const stored = await store.put(tagged(bytes, maker), expected);
      await remembered(stored.digest, maker.finish());
      return stored;
    },
  };
}

async function* tagged(bytes: AsyncIterable<Uint8Array>, maker: TagMaker): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    maker.add(chunk);
    yield chunk;
  }
}

async function madeFrom(object: OpenObject, digest: string): Promise<ChunkTags> {
  const maker = new TagMaker();
  const hash = createHash('sha256');
  for await (const chunk of object.lend()) {
    maker.add(chunk);
    hash.update(chunk);
  }
  if (hash.digest('hex') === digest) return maker.finish();
  throw new HuitongError('OBJECT_CORRUPT', 'the stored bytes no longer have the digest they are named by', {
    at: digest,
  });
}
