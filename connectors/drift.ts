import { HuitongError, isHuitongError } from '../lib/errors.ts';

/** SCHEMA_DRIFT for what was there when it was planned and is gone when it is read; undefined for any other failure. */
export function drifted(cause: unknown, at: string): HuitongError | undefined {
  const drift = (what: string) =>
    new HuitongError('SCHEMA_DRIFT', `the table changed between planning and reading: ${what}`, { at, cause });
  if (isHuitongError(cause, 'TABLE_NOT_FOUND')) return drift('it is gone');
  if (isHuitongError(cause, 'COLUMN_NOT_FOUND')) return drift('a column is gone');
  return undefined;
}
