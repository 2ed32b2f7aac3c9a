import { setTimeout as delay } from 'node:timers/promises';

/** Long enough for any machine: it ends what never comes. */
const WAIT_MAX_MS = 60_000;

/**
 * Waits for what must come, however slow the machine is; gives what `find` found, once that is something. Where an
 * assertion says it as well, `expect.poll` waits as long.
 * @throws Error naming `what` did not come
 */
export async function until<T>(
  what: string,
  find: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  for (const deadline = Date.now() + WAIT_MAX_MS; ; await delay(20)) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MAX_MS / 1000} s in vain: ${what}`);
  }
}
