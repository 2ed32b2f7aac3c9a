/** Holding the objects of one read: a lease that is renewed for as long as the read goes on. */
import { isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { acquireLease, releaseLease, renewLease } from '../publication/leases.ts';
import type { Publication } from '../publication/publication.ts';

export interface Hold {
  /** Aborted where the lease ran out: the objects may be collected from then on. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** @throws OBJECT_MISSING where one of them is gone already */
export async function holdObjects(publication: Publication, digests: string[], holder: string): Promise<Hold> {
  if (digests.length === 0) return { lost: new AbortController().signal, release: async () => {} };
  const lease = await acquireLease(publication, { digests, holder });
  const lost = new AbortController();
  // By a clock that nobody can set.
  let renewedAt = performance.now();
  const renew = async () => {
    const asked = performance.now();
    try {
      await renewLease(publication, lease.id);
      renewedAt = asked;
    } catch (e: unknown) {
      // A database that is away for a moment is tried again at the next turn; the lease bounds for how long.
      const ranOut = isHuitongError(e, 'NOT_FOUND') || performance.now() - renewedAt > (limits.leaseMs * 2) / 3;
      if (ranOut) lost.abort(e);
    }
  };
  const timer = setInterval(() => void renew(), limits.leaseMs / 3);
  timer.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      // What cannot be released now runs out by itself.
      await releaseLease(publication, lease.id).catch(() => {});
    },
  };
}
