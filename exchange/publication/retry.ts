/**
 * A catalog that goes away in the midst of a transaction leaves its outcome unknown. Whatever runs here reads the
 * state before it acts, so that running it again is how the outcome is read: what was committed is found, what was
 * not is done. A transaction that the lost server is still committing holds its row locks, and is waited for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

/** PostgreSQL's own words for "this connection or transaction is over, try again" (appendix A, error codes). */
const LOST_STATES = /^(08|57P0[1-3]|40001|40P01|53300)/;
const LOST_ERRNOS = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT']);
/** node-postgres reports a connection that ends under a query by message only. */
const LOST_MESSAGES = /connection (terminated|ended|closed)|not queryable|timeout (acquiring|exceeded)/i;

/** Runs `body` again where the catalog was lost; gives up as CATALOG_UNREACHABLE, which is retriable. */
export async function survivingCatalogLoss<T>(body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body();
    } catch (e: unknown) {
      if (!isCatalogLoss(e)) throw e;
      if (attempt === limits.catalogAttemptsMax) {
        throw new HuitongError('CATALOG_UNREACHABLE', 'the catalog went away and did not come back in time', {
          cause: e,
        });
      }
      await delay(limits.catalogRetryDelayMs * 2 ** (attempt - 1));
    }
  }
}

function isCatalogLoss(e: unknown): boolean {
  if (!(e instanceof Error) || e instanceof HuitongError) return false;
  if (e instanceof pg.DatabaseError) return LOST_STATES.test(e.code ?? '');
  const errno = 'code' in e && typeof e.code === 'string' ? e.code : '';
  return LOST_ERRNOS.has(errno) || LOST_MESSAGES.test(e.message);
}
