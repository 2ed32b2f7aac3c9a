/** What the server does besides answering: it notes grants that ran out, and removes objects that nothing refers to. */
import type { Logger } from 'pino';
import { expireGrants } from '../exchange/access/explicit-grants.ts';
import { collect } from '../exchange/publication/collect.ts';
import type { Publication } from '../exchange/publication/publication.ts';
import { limits } from '../lib/limits.ts';
import type { Resources } from './resources.ts';

/**
 * Collects every `limits.collectIntervalMs`, first a little after the start, until the resources are closed; a pass that
 * is at work is waited for. Servers that collect at once take turns by the collector's lock.
 */
export function startHousekeeping(publication: Publication, log: Logger, resources: Resources): void {
  let pass: Promise<void> = Promise.resolve();
  const run = () => {
    pass = pass.then(() => collectOnce(publication, log));
  };
  const first = setTimeout(run, limits.collectFirstMs);
  const timer = setInterval(run, limits.collectIntervalMs);
  resources.add(timer, async () => {
    clearTimeout(first);
    clearInterval(timer);
    await pass;
  });
}

async function collectOnce(publication: Publication, log: Logger): Promise<void> {
  try {
    const expired = await expireGrants(publication.catalog);
    if (expired > 0) log.info({ grants: expired }, 'grants have expired');
    const collected = await collect(publication);
    if (collected.objects > 0) log.info(collected, 'objects that nothing refers to were removed');
  } catch (err: unknown) {
    log.warn({ err }, 'expired grants and unreferenced objects could not be cleared; the next pass tries again');
  }
}
