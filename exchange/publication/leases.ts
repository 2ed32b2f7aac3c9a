/**
 * Leases: what a reader has begun to read is not collected under it. They are set and judged by PostgreSQL's clock, since
 * those of a server and of the collector may differ (FAULTS 18).
 */
import { randomUUID } from 'node:crypto';
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { holdOffCollector } from './collection-lock.ts';
import type { Publication } from './publication.ts';

export interface Lease {
  id: string;
}

export interface AcquireLease {
  digests: string[];
  /** Who reads, for the operator: `server:<process>`, `export:<run>`. */
  holder: string;
}

/** Protects these objects for `limits.leaseMs`; a longer reader renews it. Throws OBJECT_MISSING, naming one, where an object is no longer there; then none is leased. */
export async function acquireLease({ catalog, store }: Publication, request: AcquireLease): Promise<Lease> {
  const id = randomUUID();
  await catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    const rows = [...new Set(request.digests)].map((digest) => ({
      id,
      digest,
      holder: request.holder,
      expires_at: expiry(catalog),
    }));
    await transaction.batchInsert('lease', rows);
  });
  // Looked for once the lease holds: whatever is there now stays.
  for (const digest of request.digests) {
    if (await store.stat(digest)) continue;
    await releaseLease({ catalog, store }, id);
    throw new HuitongError('OBJECT_MISSING', 'an object that is to be read is not in the store', { at: digest });
  }
  return { id };
}

/** Throws NOT_FOUND for a lease that was released, or that ran out: its objects may be gone. */
export async function renewLease({ catalog }: Publication, id: string): Promise<void> {
  const renewed = await catalog('lease')
    .where({ id })
    .where('expires_at', '>', catalog.fn.now())
    .update({ expires_at: expiry(catalog) });
  if (renewed === 0) throw new HuitongError('NOT_FOUND', 'the lease has run out', { at: id });
}

export async function releaseLease({ catalog }: Publication, id: string): Promise<void> {
  await catalog('lease').where({ id }).delete();
}

function expiry(catalog: Catalog) {
  return catalog.raw(`now() + ? * interval '1 millisecond'`, [limits.leaseMs]);
}
