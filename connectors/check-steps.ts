/** How a kind's `check` goes from step to step, and what it says of the one at which it ended. */
import { type HuitongError, toHuitongError } from '../lib/errors.ts';
import type { CheckReport, CheckStep } from './connector.ts';

export interface CheckLog {
  passed(name: CheckStep['name'], message: string): void;
  /** Tells what answers, as soon as it is known. */
  server(title: string): void;
}

/** Opens the source and walks through the steps; the first that fails is the last, and what was opened is closed. */
export async function checkSteps<Opened extends { close(): Promise<void> | void }>(
  open: () => Promise<Opened>,
  walk: (opened: Opened, log: CheckLog) => Promise<void>,
): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  let server: string | undefined;
  let opened: Opened | undefined;
  try {
    opened = await open();
    await walk(opened, {
      passed: (name, message) => steps.push({ name, ok: true, message }),
      server: (title) => {
        server = title;
      },
    });
  } catch (cause) {
    steps.push(...failedSteps(toHuitongError(cause), steps.length));
  } finally {
    await opened?.close();
  }
  return { ok: steps.every((step) => step.ok), steps, ...(server === undefined ? {} : { server }) };
}

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
