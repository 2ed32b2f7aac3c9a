/** Versions that were published, and what they are made of. */
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import { readManifestObject } from './manifest.ts';
import type { Publication, Version } from './publication.ts';
import { toVersion, type VersionRow } from './rows.ts';

/** The current version of a dataset or one by its number. Throws NOT_FOUND, also before the first publication. */
export async function resolveVersion(
  { catalog }: Publication,
  dataset: string,
  which: 'current' | number,
): Promise<Version> {
  const query = catalog('version').where('version.dataset', dataset);
  if (which === 'current') {
    query.join('dataset', { 'dataset.code': 'version.dataset', 'dataset.current_version': 'version.number' });
  } else {
    query.where('version.number', which);
  }
  const [row] = await query.select<VersionRow[]>('version.*');
  if (!row) throw new HuitongError('NOT_FOUND', 'there is no such version', { at: `${dataset} ${which}` });
  return toVersion(row);
}

/** Throws OBJECT_MISSING or OBJECT_CORRUPT where the store no longer has it as it was published. */
export async function readManifest(
  { store }: Publication,
  version: Pick<Version, 'manifestDigest'>,
): Promise<Manifest> {
  return readManifestObject(store, version.manifestDigest);
}

/** Versions of one dataset, newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listVersions(
  { catalog }: Publication,
  request: { dataset: string; limit?: number; cursor?: string },
): Promise<Page<Version>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('version')
    .where({ dataset: request.dataset })
    .orderBy('number', 'desc')
    .limit(limit + 1);
  if (request.cursor !== undefined) {
    const [before] = decodeCursor(request.cursor, 1);
    if (typeof before !== 'number') throw new HuitongError('REQUEST_INVALID', 'the cursor is not one of versions');
    query.where('number', '<', before);
  }
  const rows = await query.select<VersionRow[]>('*');
  return pageOf(rows, limit, (row) => [row.number], toVersion);
}
