/** Versions that were published, and what they are made of. */
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import { readManifestObject } from './manifest.ts';
import type { Publication, Version } from './publication.ts';
import { assertUnexpired } from './retention.ts';
import { toVersion, type VersionRow } from './rows.ts';

/** The current version of a dataset or one by its number. Throws NOT_FOUND, also before the first publication. */
export async function resolveVersion(
  { catalog }: Publication,
  dataset: string,
  which: 'current' | number,
): Promise<Version> {
  const query = versions(catalog).where('version.dataset', dataset);
  if (which === 'current') {
    query.join('dataset', { 'dataset.code': 'version.dataset', 'dataset.current_version': 'version.number' });
  } else {
    query.where('version.number', which);
  }
  const [row] = await query;
  if (!row) throw new HuitongError('NOT_FOUND', '没有该版本 · there is no such version', { at: `${dataset} ${which}` });
  return toVersion(row);
}

/**
 * With what its row says of its end; a hold whose time is over is still told.
 */
function versions(catalog: Catalog) {
  return catalog('version')
    .leftJoin({ next: 'version' }, (join) => {
      join.on('next.dataset', 'version.dataset').andOn('next.number', catalog.raw('version.number + 1'));
    })
    .leftJoin({ hold: 'version_hold' }, { 'hold.dataset': 'version.dataset', 'hold.version': 'version.number' })
    .select<VersionRow[]>('version.*', {
      superseded_at: 'next.published_at',
      hold_until: 'hold.until',
      hold_reason: 'hold.reason',
    });
}

/**
 * Of a version that has not expired. Throws VERSION_EXPIRED; OBJECT_MISSING or OBJECT_CORRUPT where the store no longer
 * has it as it was published.
 */
export async function readManifest(
  { store }: Publication,
  version: Pick<Version, 'dataset' | 'number' | 'expired' | 'manifestDigest'>,
): Promise<Manifest> {
  assertUnexpired(version);
  return readManifestObject(store, version.manifestDigest);
}

/** Versions of one dataset, newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listVersions(
  { catalog }: Publication,
  request: { dataset: string; limit?: number; cursor?: string },
): Promise<Page<Version>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = versions(catalog)
    .where('version.dataset', request.dataset)
    .orderBy('version.number', 'desc')
    .limit(limit + 1);
  if (request.cursor !== undefined) {
    query.where('version.number', '<', decodeCursor(request.cursor, 'integer')[0]);
  }
  const rows = await query;
  return pageOf(rows, limit, (row) => [row.number], toVersion);
}
