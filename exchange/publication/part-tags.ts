/** The tags of parts in the catalog, and the parts of a publication as all of the exchange puts and reads them. */
import type { Catalog } from '../../catalog/database.ts';
import { CHUNK_BYTES, type ChunkTags } from '../store/chunk-tags.ts';
import { openPartStore, type PartStore, type TagKeeper } from '../store/part-store.ts';
import type { Publication } from './publication.ts';

const opened = new WeakMap<Catalog, WeakMap<Publication['store'], PartStore>>();

/** The same one each time, so that what it remembers serves all. */
export function partsOfStore({ catalog, store }: Publication): PartStore {
  const ofCatalog = opened.get(catalog) ?? new WeakMap<Publication['store'], PartStore>();
  opened.set(catalog, ofCatalog);
  const parts = ofCatalog.get(store) ?? openPartStore(store, keeperOf(catalog));
  ofCatalog.set(store, parts);
  return parts;
}

function keeperOf(catalog: Catalog): TagKeeper {
  return {
    find: (digest) =>
      catalog('part_tags').where({ digest, chunk_bytes: CHUNK_BYTES }).first<ChunkTags | undefined>('key', 'tags'),
    async keep(digest, { key, tags }) {
      // Whichever of two makers is last: both are right, since the digest names the bytes.
      await catalog('part_tags').insert({ digest, chunk_bytes: CHUNK_BYTES, key, tags }).onConflict('digest').merge();
    },
  };
}
