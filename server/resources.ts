/** API resources from what the exchange knows: schemas/api says what they look like. */
import type { Version } from '../exchange/publication/publication.ts';
import type { Recalled } from '../exchange/publication/recalls.ts';
import type { Version as VersionResource } from '../schemas/generated/api.ts';

export function toVersionResource(
  version: Version,
  currentVersion: number | null,
  recalled: Recalled | undefined,
): VersionResource {
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
  };
}

export function toRecalled(recalled: Recalled | undefined): VersionResource['recalled'] {
  return recalled === undefined ? null : { reason: recalled.reason, at: recalled.at.toISOString() };
}
