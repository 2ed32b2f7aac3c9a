/**
 * How long a version is kept (the definition's `retention`, decision 0230): the newest `versionsMin` always, every other
 * one until it has been superseded for `versionDays`. What keeps a version besides is in `expire.ts`.
 */
import type { Catalog } from '../../catalog/database.ts';
import { publishRulesOf } from '../../catalog/publishing.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { ExpiryRule, Version } from './publication.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** With the defaults that schemas/definition/dataset.json tells. */
export function expiryRuleOf(definition: DatasetDefinition): ExpiryRule {
  const { versionsMin, versionDays } = publishRulesOf(definition);
  return { versionsMin, versionDays };
}

/** A version that was superseded then, or earlier, has been so for long enough. */
export function supersededBy({ versionDays }: ExpiryRule, now: Date): Date {
  return new Date(now.getTime() - versionDays * DAY_MS);
}

/** The newest version that the rule may end; 0 where there is none. */
export function newestToExpire({ versionsMin }: ExpiryRule, currentVersion: number): number {
  return Math.max(0, currentVersion - versionsMin);
}

export interface Retention {
  /** That holds now; of an expired version, by which it expired. */
  rule: ExpiryRule;
  /** When it may expire; null where it has expired, and as long as it is one of the newest. */
  expiresAt: Date | null;
}

/** What a version's reader can expect. An open case or a read that goes on may keep it longer. */
export function retentionOf(version: Version, rule: ExpiryRule, currentVersion: number | null): Retention {
  const { number, expired, supersededAt, hold } = version;
  if (expired !== null) return { rule: expired.by, expiresAt: null };
  if (supersededAt === null || currentVersion === null || number > newestToExpire(rule, currentVersion)) {
    return { rule, expiresAt: null };
  }
  const due = supersededAt.getTime() + rule.versionDays * DAY_MS;
  return { rule, expiresAt: new Date(Math.max(due, hold?.until.getTime() ?? due)) };
}

/** Throws VERSION_EXPIRED: for who may read the version; to everybody else it is as if it had never been. */
export function assertUnexpired({ dataset, number, expired }: Pick<Version, 'dataset' | 'number' | 'expired'>): void {
  if (expired === null) return;
  const day = expired.at.toISOString().slice(0, 10);
  throw new HuitongError('VERSION_EXPIRED', `版本 ${number} 已于 ${day} 到期 · version ${number} has expired`, {
    at: `${dataset} ${number}`,
  });
}

/**
 * Keeps a version from expiring until the transaction ends, so that what is written about it finds it readable. Throws
 * VERSION_EXPIRED, NOT_FOUND.
 */
export async function lockLiving(transaction: Catalog, dataset: string, number: number): Promise<void> {
  const row = await transaction('version')
    .where({ dataset, number })
    .forShare()
    .first<{ expired_at: Date | null; expired_by: ExpiryRule | null } | undefined>('expired_at', 'expired_by');
  if (row === undefined)
    throw new HuitongError('NOT_FOUND', '没有该版本 · there is no such version', { at: `${dataset} ${number}` });
  const { expired_at: at, expired_by: by } = row;
  assertUnexpired({ dataset, number, expired: at && by && { at, by } });
}
