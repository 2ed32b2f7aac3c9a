/**
 * A catalog that goes away in the midst of a transaction leaves its outcome unknown. Whatever runs here reads the
 * state before it acts, so that running it again is how the outcome is read: what was committed is found, what was
 * not is done. A transaction that the lost server is still committing holds its row locks, and is waited for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isCatalogLoss } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

/** Two transactions in each other's way (PostgreSQL's appendix A, class 40): one of them is to be tried again. */
const CONFLICTS = ['40001', '40P01'];

/** Runs `body` again where the catalog was lost; gives up as CATALOG_UNREACHABLE, which is retriable. */
export async function survivingCatalogLoss<T>(body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body();
    } catch (e: unknown) {
      if (!isCatalogLoss(e) && !isConflict(e)) throw e;
      if (attempt === limits.catalogAttemptsMax) {
        throw new HuitongError('CATALOG_UNREACHABLE', 'the catalog went away and did not come back in time', {
          cause: e,
        });
      }
      await delay(limits.catalogRetryDelayMs * 2 ** (attempt - 1));
    }
  }
}

function isConflict(e: unknown): boolean {
  return e instanceof pg.DatabaseError && CONFLICTS.includes(e.code ?? '');
}
