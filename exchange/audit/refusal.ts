/**
 * A log that is not written is noted where every process of the exchange sees it: no leaf enters the outbox
 * (publication/outbox.ts), and so no transaction commits that has one (FAULTS 25). A catalog that was restored from an
 * older backup than the store is read-only until a person has decided (`accept.ts`) or the newer state is back.
 */
import type pg from 'pg';
import type { ErrorCode } from '../../lib/error-codes.ts';
import { type HuitongError, isHuitongError } from '../../lib/errors.ts';

/** What only a person can set right. */
export function isRefusal(e: unknown): e is HuitongError {
  return isHuitongError(e, 'AUDIT_REGRESSION') || isHuitongError(e, 'AUDIT_CORRUPT');
}

/** Null: the log is written again. */
export async function noteRefusal(client: Pick<pg.Client, 'query'>, code: ErrorCode | null): Promise<void> {
  await client.query('update log_state set refused = $1 where refused is distinct from $1', [code]);
}
