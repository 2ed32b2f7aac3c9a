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
import { collect } from '../exchange/publication/collect.ts';
import { expireVersions } from '../exchange/publication/expire.ts';
import type { Publication } from '../exchange/publication/publication.ts';
import { limits } from '../lib/limits.ts';
import { tend } from '../server/case-workflow.ts';
import type { Resources } from './resources.ts';

/**
 * Collects every `limits.collectIntervalMs`, first a little after the start, until the resources are closed; a pass that
 * is at work is waited for. Servers that collect at once take turns by the collector's lock.
 */
export function startHousekeeping(publication: Publication, audit: AuditLog, log: Logger, resources: Resources): void {
  const { collectFirstMs: firstMs, collectIntervalMs: intervalMs } = limits;
  repeat(resources, { audit, firstMs, intervalMs }, () => collectOnce(publication, log));
}

/** Tends every `limits.tendCasesIntervalMs`; servers that do so at once find done what another has done. */
export function startTending(
  access: Access,
  audit: AuditLog,
  temporal: Client,
  log: Logger,
  resources: Resources,
): void {
  const { tendCasesFirstMs: firstMs, tendCasesIntervalMs: intervalMs } = limits;
  repeat(resources, { audit, firstMs, intervalMs }, async () => {
    try {
      const tended = await tend(access, temporal);
      if (Object.values(tended).some((count) => count > 0)) log.info(tended, 'cases were tended');
    } catch (err: unknown) {
      log.warn({ err }, 'cases could not be tended; the next pass tries again');
    }
  });
}

function repeat(
  resources: Resources,
  { audit, firstMs, intervalMs }: { audit: AuditLog; firstMs: number; intervalMs: number },
  work: () => Promise<void>,
): void {
  let pass: Promise<void> = Promise.resolve();
  const run = () => {
    if (audit.isHolder()) pass = pass.then(work);
  };
  const first = setTimeout(run, firstMs);
  const timer = setInterval(run, intervalMs);
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
