/**
 * What a server does besides answering: it notes grants that ran out, ends versions whose retention is over, removes
 * objects that nothing refers to, and tends to what becomes due by itself. Of several servers the one that holds the
 * audit log does it: each pass may run twice at once without harm, but there is no need for it.
 */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Access } from '../exchange/access/access.ts';
import { expireGrants } from '../exchange/access/explicit-grants.ts';
import type { AuditLog } from '../exchange/audit/audit-log.ts';
import type { LeafInput } from '../exchange/audit/leaf.ts';
import { collect } from '../exchange/publication/collect.ts';
import { expireVersions } from '../exchange/publication/expire.ts';
import type { Publication } from '../exchange/publication/publication.ts';
import { limits } from '../lib/limits.ts';
import { tend, tendPublished } from '../server/case-workflow.ts';
import type { Resources } from './resources.ts';

/**
 * Collects every `limits.collectIntervalMs`, first a little after the start, until the resources are closed; a pass that
 * is at work is waited for. Servers that collect at once take turns by the collector's lock.
 */
export function startHousekeeping(publication: Publication, audit: AuditLog, log: Logger, resources: Resources): void {
  const { collectFirstMs: firstMs, collectIntervalMs: intervalMs } = limits;
  repeat(resources, { audit, firstMs, intervalMs }, () => collectOnce(publication, log));
}

/** Datasets that a version was published of, from the leaves that tell it, until somebody looks at them. */
export class Published {
  readonly #datasets = new Set<string>();
  readonly #listeners: (() => void)[] = [];

  add(leaves: readonly LeafInput[]): void {
    const { size } = this.#datasets;
    for (const { action, object, decision } of leaves) {
      const dataset = /^dataset\/([^/]+)\/version\//.exec(object)?.[1];
      if (action === 'dataset.publish' && decision === 'allow' && dataset !== undefined) this.#datasets.add(dataset);
    }
    if (this.#datasets.size > size) for (const listener of this.#listeners) listener();
  }

  /** Each listener is told of what is there already, too. */
  listen(onAdded: () => void): void {
    this.#listeners.push(onAdded);
    if (this.#datasets.size > 0) onAdded();
  }

  take(): string[] {
    const taken = [...this.#datasets];
    this.#datasets.clear();
    return taken;
  }
}

/**
 * Tends every `limits.tendCasesIntervalMs`; servers that do so at once find done what another has done. What a new
 * version mends is looked for as soon as it is published; the pass finds what was missed.
 */
export function startTending(
  access: Access,
  { audit, published }: { audit: AuditLog; published: Published },
  temporal: Client,
  log: Logger,
  resources: Resources,
): void {
  const { tendCasesFirstMs: firstMs, tendCasesIntervalMs: intervalMs } = limits;
  const soon = repeat(resources, { audit, firstMs, intervalMs }, async () => {
    try {
      const tended = await tend(access, temporal);
      if (Object.values(tended).some((count) => count > 0)) log.info(tended, 'cases were tended');
    } catch (err: unknown) {
      log.warn({ err }, 'cases could not be tended; the next pass tries again');
    }
  });
  published.listen(() =>
    soon(async () => {
      try {
        const datasets = published.take();
        const mended = datasets.length === 0 ? 0 : await tendPublished(access, temporal, datasets);
        if (mended > 0) log.info({ mended }, 'corrections are mended by a new version');
      } catch (err: unknown) {
        log.warn({ err }, 'what a new version mends could not be looked for; the next pass does');
      }
    }),
  );
}

/** Gives what has something else done once the pass that is at work has ended. */
function repeat(
  resources: Resources,
  { audit, firstMs, intervalMs }: { audit: AuditLog; firstMs: number; intervalMs: number },
  work: () => Promise<void>,
): (other: () => Promise<void>) => void {
  let pass: Promise<void> = Promise.resolve();
  let closed = false;
  const soon = (next: () => Promise<void>) => {
    if (!closed) pass = pass.then(next);
  };
  const run = () => {
    if (audit.isHolder()) soon(work);
  };
  const first = setTimeout(run, firstMs);
  const timer = setInterval(run, intervalMs);
  resources.add(timer, async () => {
    clearTimeout(first);
    clearInterval(timer);
    closed = true;
    await pass;
  });
  return soon;
}

async function collectOnce(publication: Publication, log: Logger): Promise<void> {
  try {
    const expired = await expireGrants(publication.catalog);
    if (expired > 0) log.info({ grants: expired }, 'grants have expired');
    const versions = await expireVersions(publication);
    if (versions.expired > 0) log.info({ versions: versions.expired }, 'versions have expired');
    for (const { error: err, ...version } of versions.failed) {
      log.warn({ err, ...version }, 'a version cannot be ended');
    }
    const collected = await collect(publication);
    if (collected.objects > 0) log.info(collected, 'objects that nothing refers to were removed');
  } catch (err: unknown) {
    log.warn({ err }, 'expired grants and unreferenced objects could not be cleared; the next pass tries again');
  }
}
