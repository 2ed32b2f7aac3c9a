/** What is made of stored parts. It knows no catalog, so that it can be done in a thread (thread.ts). */
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import type { Shown } from '../projections.ts';
import { type Making, makeProjection } from './make-projection.ts';

export type Work =
  | ({ make: 'projection' } & Making)
  /** One file, of these columns; null: all. */
  | { make: 'parquet'; columns: string[] | null };

/** In the order of the parts. Throws what `makeProjection` and `makeParquet` throw. */
export async function make(store: PartStore, stored: Shown, work: Work): Promise<ManifestPart[]> {
  if (work.make === 'projection') return makeProjection(store, stored, work);
  // Its WebAssembly takes as long to load as a thread to start.
  const { makeParquet } = await import('../renditions/parquet-file.ts');
  return [await makeParquet({ store, ...stored, projection: { columns: work.columns } })];
}
