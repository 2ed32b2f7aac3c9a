import type { ChunkTags } from '../../../exchange/store/chunk-tags.ts';
import type { TagKeeper } from '../../../exchange/store/part-store.ts';

/** Tags in memory, as the catalog keeps them. */
export function memoryTags(): TagKeeper & { readonly kept: Map<string, ChunkTags> } {
  const kept = new Map<string, ChunkTags>();
  return {
    kept,
    find: async (digest) => kept.get(digest),
    keep: async (digest, tags) => void kept.set(digest, tags),
  };
}
