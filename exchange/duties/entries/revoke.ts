/** Revocation of an entry, once it was reviewed: at once no reads by others, no runs, no grants. */
import type { Catalog } from '../../../catalog/database.ts';
import { lockedPresent } from '../../../catalog/district/apply.ts';
import type { ErrorCode } from '../../../lib/error-codes.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { EntryState } from '../../../schemas/generated/api.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import { type Actor, endGrantsOf } from '../../access/explicit-grants.ts';

/** Both departments of a grant, or of a request, read it. */
export const REVOKED = '目录条目已撤销 · the catalog entry was revoked';

/**
 * In the transaction of the case's step. The grants end here, those of requests too: their requests follow by
 * themselves (tend.ts). A run that is going on can no longer commit. The versions stay, for the owner.
 */
export async function revokeEntry(
  transaction: Catalog,
  { id, dataset }: { id: string; dataset: string },
  actor: Actor,
): Promise<void> {
  await lockedPresent(transaction);
  await requireRevocable(transaction, dataset);
  const now = transaction.fn.now();
  await transaction('dataset')
    .where({ code: dataset })
    .update({ state: 'revoked', review: id, epoch: transaction.raw('epoch + 1'), updated_at: now });
  await transaction('run')
    .where({ dataset, state: 'running' })
    .update({
      state: 'failed',
      failure_code: 'FENCED' satisfies ErrorCode,
      failure_message: 'the entry of the dataset was revoked',
      ended_at: now,
    });
  await endGrantsOf(transaction, { dataset, actor, reason: REVOKED });
}

/** @throws NOT_FOUND, ENTRY_NOT_IN_FORCE; CAPTURE_OPEN where the source would keep a log that nobody reads any more */
export async function requireRevocable(catalog: Catalog, code: string): Promise<void> {
  const row = await catalog('dataset')
    .where({ code })
    .first<{ state: EntryState; definition: DatasetDefinition } | undefined>('state', 'definition');
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该数据集 · there is no such dataset', { at: code });
  if (row.state !== 'active') {
    throw new HuitongError('ENTRY_NOT_IN_FORCE', `目录条目不在发布状态 · the entry is ${row.state}`, { at: code });
  }
  if (row.definition.mode?.kind === 'changes') {
    throw new HuitongError('CAPTURE_OPEN', `${code} follows its source’s log, and would leave it open`, { at: code });
  }
}
