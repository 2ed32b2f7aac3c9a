/** API resources from what the exchange knows: schemas/api says what they look like. */
import type { Version } from '../exchange/publication/publication.ts';
import type { Recalled } from '../exchange/publication/recalls.ts';
import { retentionOf } from '../exchange/publication/retention.ts';
import type { Dataset, Version as VersionResource } from '../schemas/generated/api.ts';

/** @param owner the caller is of the dataset's department, and sees for what a version is held */
export function toVersionResource(
  version: Version,
  { currentVersion, retention }: Pick<Dataset, 'currentVersion' | 'retention'>,
  { recalled, owner }: { recalled: Recalled | undefined; owner: boolean },
): VersionResource {
  const { rule, expiresAt } = retentionOf(version, retention, currentVersion);
  const { expired, hold, supersededAt } = version;
  return {
    dataset: version.dataset,
    version: version.number,
    runId: version.run,
    contractVersion: version.contractVersion,
    contractDigest: version.contractDigest,
    manifestDigest: version.manifestDigest,
    guarantee: version.guarantee,
    snapshotAt: version.snapshotAt.toISOString(),
    publishedAt: version.publishedAt.toISOString(),
    account: {
      rowsRead: version.rowsRead,
      rowsPublished: version.rowsPublished,
      rowsQuarantined: version.rowsQuarantined,
    },
    rows: version.rows,
    mode: version.mode ?? 'snapshot',
    changes: version.changes,
    parts: version.parts,
    bytes: version.bytes,
    current: version.number === currentVersion,
    recalled: toRecalled(recalled),
    retention: {
      ...rule,
      supersededAt: supersededAt?.toISOString() ?? null,
      expiresAt: expiresAt?.toISOString() ?? null,
      expiredAt: expired?.at.toISOString() ?? null,
      heldUntil: hold?.until.toISOString() ?? null,
      ...(hold !== null && owner && { heldFor: hold.reason }),
    },
  };
}

export function toRecalled(recalled: Recalled | undefined): VersionResource['recalled'] {
  return recalled === undefined ? null : { reason: recalled.reason, at: recalled.at.toISOString() };
}
