/** Leaves for the audit log, written by the very transaction that they tell of; the log's sequencer takes them. */
import type { Catalog } from '../../catalog/database.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';

/** @throws AUDIT_REGRESSION, AUDIT_CORRUPT while the log is not written: then the transaction must not commit */
export async function addLeaf(transaction: Catalog, leaf: Omit<AuditLeaf, 'time' | 'outbox'>): Promise<void> {
  const log = await transaction('log_state').first<{ refused: ErrorCode | null }>('refused');
  if (log.refused) throw new HuitongError(log.refused, 'the audit log is not written: nothing may be changed');
  const timed: AuditLeaf = { time: new Date().toISOString(), ...leaf };
  await transaction('audit_outbox').insert({ leaf: JSON.stringify(timed) });
}
