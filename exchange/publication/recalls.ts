/**
 * Versions that their provider has recalled. None is served any more, also where it is the current one: the pointer stays
 * where it is, and reading "current" is refused until a new version is published, so that nobody is given other rows
 * than they think (decision 0191).
 */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Publication, Version } from './publication.ts';
import { assertUnexpired } from './retention.ts';
import { resolveVersion } from './versions.ts';

export interface RecallRow {
  dataset: string;
  version: number;
  reason: string;
  actor: string;
  person: string;
  recalled_at: Date;
}

/**
 * The version that a reader asks for. Throws NOT_FOUND; VERSION_RECALLED, which names the newest one that can be read:
 * one after it where there is one, else the last before it; VERSION_EXPIRED.
 */
export async function readableVersion(
  publication: Publication,
  dataset: string,
  which: 'current' | number,
): Promise<Version> {
  const version = await resolveVersion(publication, dataset, which);
  const recalled = await publication.catalog('version_recall').where({ dataset, version: version.number }).first();
  if (recalled === undefined) {
    assertUnexpired(version);
    return version;
  }
  const newest = await newestReadable(publication.catalog, dataset);
  const instead =
    newest === null
      ? { zh: '没有可用的版本', en: 'there is no other version to read' }
      : { zh: `可用的最新版本是 ${newest}`, en: `the newest one that can be read is ${newest}` };
  const message = `版本 ${version.number} 已撤回；${instead.zh} · version ${version.number} was recalled; ${instead.en}`;
  throw new HuitongError('VERSION_RECALLED', message, {
    at: `${dataset} ${version.number}`,
  });
}

export interface Recalled {
  reason: string;
  at: Date;
}

/** Those of these versions that were recalled, by number. */
export async function recalledAmong(
  catalog: Catalog,
  dataset: string,
  versions: number[],
): Promise<Map<number, Recalled>> {
  const rows = await catalog<RecallRow>('version_recall').where({ dataset }).whereIn('version', versions);
  return new Map(rows.map(({ version, reason, recalled_at: at }) => [version, { reason, at }]));
}

/** Null where every version is recalled or expired. */
export async function newestReadable(catalog: Catalog, dataset: string): Promise<number | null> {
  const row = await catalog('version')
    .where({ dataset })
    .whereNull('expired_at')
    .whereNotExists((recall) =>
      recall
        .select(catalog.raw('1'))
        .from('version_recall')
        .whereRaw('version_recall.dataset = version.dataset and version_recall.version = version.number'),
    )
    .max<{ newest: number | null }>('number as newest')
    .first();
  return row?.newest ?? null;
}
