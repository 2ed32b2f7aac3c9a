/** Leases: what a reader has begun to read is not collected under it. */
import { randomUUID } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { holdOffCollector } from './collection-lock.ts';
import type { Publication } from './publication.ts';

export interface Lease {
  id: string;
  expiresAt: Date;
}

export interface AcquireLease {
  digests: string[];
  /** Who reads, for the operator: `server:<process>`, `export:<run>`. */
  holder: string;
  /** Default and maximum `limits.leaseMs`; a longer reader renews it. */
  durationMs?: number;
}

/** Protects these objects. Throws OBJECT_MISSING, naming one, where an object is no longer there; then none is leased. */
export async function acquireLease({ catalog, store }: Publication, request: AcquireLease): Promise<Lease> {
  const id = randomUUID();
  const expiresAt = expiry(request.durationMs);
  await catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    const rows = [...new Set(request.digests)].map((digest) => ({
      id,
      digest,
      holder: request.holder,
      expires_at: expiresAt,
    }));
    await transaction.batchInsert('lease', rows);
  });
  // Looked for once the lease holds: whatever is there now stays.
  for (const digest of request.digests) {
    if (await store.stat(digest)) continue;
    await releaseLease({ catalog, store }, id);
    throw new HuitongError('OBJECT_MISSING', 'an object that is to be read is not in the store', { at: digest });
  }
  return { id, expiresAt };
}

/** Throws NOT_FOUND for a lease that was released, or that ran out: its objects may be gone. */
export async function renewLease({ catalog }: Publication, id: string, durationMs?: number): Promise<Lease> {
  const expiresAt = expiry(durationMs);
  const renewed = await catalog('lease')
    .where({ id })
    .where('expires_at', '>', catalog.fn.now())
    .update({ expires_at: expiresAt });
  if (renewed === 0) throw new HuitongError('NOT_FOUND', 'the lease has run out', { at: id });
  return { id, expiresAt };
}

export async function releaseLease({ catalog }: Publication, id: string): Promise<void> {
  await catalog('lease').where({ id }).delete();
}

function expiry(durationMs: number = limits.leaseMs): Date {
  return new Date(Date.now() + Math.min(durationMs, limits.leaseMs));
}
