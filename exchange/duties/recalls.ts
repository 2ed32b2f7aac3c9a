/** Recalls: the provider takes a version back; it is served no more, and who has it must say what became of it. */
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { limits } from '../../lib/limits.ts';
import type { Recall } from '../../schemas/generated/api.ts';
import { addLeaf } from '../publication/outbox.ts';
import type { Publication } from '../publication/publication.ts';
import type { RecallRow } from '../publication/recalls.ts';
import { resolveVersion } from '../publication/versions.ts';
import { openConfirmations } from './confirmations.ts';
import type { Viewer } from './list.ts';

export interface RecallVersion {
  viewer: Viewer & { actor: string };
  dataset: string;
  version: number;
  /** Shown to every department that has read it. */
  reason: string;
}

/**
 * From the moment that it is written no read of the version begins; then its readers are found in the log and asked.
 * A second time changes nothing. A version that has expired can be recalled too: its readers have their copies still.
 * Throws NOT_FOUND.
 */
export async function recallVersion(publication: Publication, recall: RecallVersion): Promise<Recall> {
  const { catalog } = publication;
  const { viewer, reason } = recall;
  const {
    dataset,
    number: version,
    manifestDigest,
  } = await resolveVersion(publication, recall.dataset, recall.version);
  const at = new Date();
  await catalog.transaction(async (transaction) => {
    const row: RecallRow = { dataset, version, reason, actor: viewer.actor, person: viewer.person, recalled_at: at };
    const inserted = await transaction('version_recall').insert(row).onConflict().ignore().returning('version');
    if (inserted.length === 0) return;
    await addLeaf(transaction, {
      ...{ actor: viewer.actor, subject: viewer.person, onBehalfOf: viewer.principal.department },
      ...{ action: 'version.recall', object: `dataset/${dataset}/version/${version}` },
      ...{ decision: 'allow', rule: 'provider', versionDigest: manifestDigest },
    });
  });
  await openConfirmations(catalog, at);
  const [listed] = (await listRecalls(catalog, { dataset, version })).items;
  return listed as Recall;
}

interface ListedRecall extends RecallRow {
  provider: string;
  readers: number;
  confirmed: number;
  overdue: number;
}

/** Newest first. That a version was recalled, and why, is part of the catalog: open to every department. */
export async function listRecalls(
  catalog: Catalog,
  asked: { dataset?: string; version?: number; limit?: number; cursor?: string } = {},
): Promise<Page<Recall>> {
  const limit = Math.min(asked.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('version_recall as recall')
    .join('dataset', 'dataset.code', 'recall.dataset')
    .joinRaw(COUNTS)
    .orderBy([
      { column: 'recall.recalled_at', order: 'desc' },
      { column: 'recall.dataset' },
      { column: 'recall.version' },
    ])
    .limit(limit + 1)
    .select<ListedRecall[]>('recall.*', 'counts.*', { provider: 'dataset.department' });
  if (asked.dataset !== undefined) query.where('recall.dataset', asked.dataset);
  if (asked.version !== undefined) query.where('recall.version', asked.version);
  if (asked.cursor !== undefined) {
    query.whereRaw('(-extract(epoch from recall.recalled_at), recall.dataset, recall.version) > (?, ?, ?)', [
      ...decodeCursor(asked.cursor, 'number', 'text', 'integer'),
    ]);
  }
  return pageOf(await query, limit, (row) => [-row.recalled_at.getTime() / 1000, row.dataset, row.version], toRecall);
}

const COUNTS = `
  cross join lateral (
    select count(*)::int as readers,
      count(*) filter (where duty_case.state = 'CONFIRMED')::int as confirmed,
      count(*) filter (where duty.overdue_at is not null)::int as overdue
    from duty_case
    left join duty_case_duty duty on duty."case" = duty_case.id and duty.ended_at is null
    where kind = 'confirmation' and cause = 'recall/' || recall.dataset || '/' || recall.version
  ) counts`;

function toRecall(row: ListedRecall): Recall {
  const { dataset, version, provider, reason, readers, confirmed, overdue } = row;
  return { dataset, version, provider, reason, readers, confirmed, overdue, recalledAt: row.recalled_at.toISOString() };
}
