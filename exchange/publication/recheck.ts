/** The second contract check, for what a worker other than the exchange's own has staged. */
import { HuitongError } from '../../lib/errors.ts';
import type { RunRow } from './rows.ts';

/** Throws CONTRACT_RECHECK_FAILED unless the worker is the exchange's own, or this very report was checked again. */
export function assertRechecked(run: RunRow, reportDigest: string): void {
  if (run.trusted || run.rechecked_report === reportDigest) return;
  throw new HuitongError('CONTRACT_RECHECK_FAILED', 'the parts were not checked against their contract again', {
    at: run.id,
  });
}
