/** Holds: a version that must not expire before a time, whatever its dataset's retention says (decision 0231). */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import { addLeaf } from './outbox.ts';
import type { Publication } from './publication.ts';
import { lockLiving } from './retention.ts';

export interface HeldVersion {
  dataset: string;
  version: number;
  /** As the audit log names who acts. */
  by: Pick<AuditLeaf, 'actor' | 'subject' | 'onBehalfOf'>;
}

export interface HoldVersion extends HeldVersion {
  until: Date;
  /** Shown to the owner's department; not in the log, since it may name a person. */
  reason: string;
}

/**
 * Keeps it until then; a second time says until when anew.
 * @throws NOT_FOUND, VERSION_EXPIRED; REQUEST_INVALID for a time that is over
 */
export async function holdVersion({ catalog }: Publication, held: HoldVersion, now = new Date()): Promise<void> {
  const { dataset, version, until, reason, by } = held;
  if (until <= now) {
    throw new HuitongError('REQUEST_INVALID', '保留期限须晚于现在 · the time is over already', { pointer: '/until' });
  }
  await catalog.transaction(async (transaction) => {
    await lockLiving(transaction, dataset, version);
    await transaction('version_hold')
      .insert({ dataset, version, until, reason, actor: by.actor, placed_at: now })
      .onConflict(['dataset', 'version'])
      .merge();
    await addHoldLeaf(transaction, 'version.hold', held, { until: until.toISOString() });
  });
}

/** From here on its retention decides again. Throws NOT_FOUND where nobody holds it. */
export async function releaseVersion({ catalog }: Publication, held: HeldVersion): Promise<void> {
  const { dataset, version } = held;
  await catalog.transaction(async (transaction) => {
    const released = await transaction('version_hold').where({ dataset, version }).delete();
    if (released === 0) {
      throw new HuitongError('NOT_FOUND', '该版本未被保留 · nobody holds this version', {
        at: `${dataset} ${version}`,
      });
    }
    await addHoldLeaf(transaction, 'version.release', held);
  });
}

function addHoldLeaf(
  transaction: Catalog,
  action: 'version.hold' | 'version.release',
  { dataset, version, by }: HeldVersion,
  detail?: AuditLeaf['detail'],
): Promise<void> {
  const object = `dataset/${dataset}/version/${version}`;
  return addLeaf(transaction, {
    ...by,
    action,
    object,
    decision: 'allow',
    rule: 'provider',
    ...(detail && { detail }),
  });
}
