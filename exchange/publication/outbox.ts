/** Leaves for the audit log, written by the very transaction that they tell of; the log's sequencer takes them. */
import type { Catalog } from '../../catalog/database.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';

export async function addLeaf(transaction: Catalog, leaf: Omit<AuditLeaf, 'time' | 'outbox'>): Promise<void> {
  const timed: AuditLeaf = { time: new Date().toISOString(), ...leaf };
  await transaction('audit_outbox').insert({ leaf: JSON.stringify(timed) });
}
