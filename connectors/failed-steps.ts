/** What every kind's `check` says of the step at which it ended. */
import type { HuitongError } from '../lib/errors.ts';
import type { CheckStep } from './connector.ts';

/**
 * The steps that a failure ends with. Of connecting and logging in, which one call does, the code tells which it was.
 * @param done how many steps had passed before
 */
export function failedSteps(error: HuitongError, done: number): CheckStep[] {
  const failed = { ok: false, code: error.code, message: `${error.message}. ${error.hint}` };
  if (done > 0) return [{ name: done === 1 ? 'authenticate' : done === 2 ? 'read' : 'snapshot', ...failed }];
  if (error.code === 'CONFIG_INVALID') return [{ name: 'resolve', ...failed }];
  if (error.code !== 'SOURCE_AUTH' && error.code !== 'SOURCE_DATABASE_MISSING') return [{ name: 'connect', ...failed }];
  // Whoever refuses a login was reached.
  return [
    { name: 'connect', ok: true, message: `connected to ${error.at}` },
    { name: 'authenticate', ...failed },
  ];
}
