/** What becomes of a report that is true: published, unchanged, or rejected. Pure. */
import type { PublishRules } from '../../catalog/publishing.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { rowsOf, segmentsOf } from './segments.ts';

export type Decision =
  | { outcome: 'publish' }
  | { outcome: 'unchanged' }
  | { outcome: 'rejected'; code: ErrorCode; message: string };

/**
 * The tolerance comes first, then the publish guard, then equality with the current version. `confirmed` lifts the
 * guard, never the tolerance.
 */
export function decide(
  report: RunReport,
  rules: PublishRules,
  current: Manifest | undefined,
  confirmed: boolean,
): Decision {
  const { rowsQuarantined } = report;
  // An increment may be a handful of rows, of which one is a large share: it is held against the version as well.
  const rows = report.incremental ? Math.max(report.rowsRead, current?.rows ?? 0) : report.rowsRead;
  if (rowsQuarantined > rules.quarantinedShareMax * rows) {
    const message = `${rowsQuarantined} of ${rows} rows broke the contract; the share allowed is ${rules.quarantinedShareMax}`;
    return { outcome: 'rejected', code: 'TOLERANCE_EXCEEDED', message };
  }
  const guarded = confirmed ? undefined : guard(report, rules, current);
  if (guarded) return { outcome: 'rejected', code: 'PUBLISH_GUARD', message: guarded };
  return { outcome: current && sameContent(report, current) ? 'unchanged' : 'publish' };
}

/** A version that lost `lostShareMax` of the rows or more; losing all of them is allowed by its own setting only. */
function guard(
  report: RunReport,
  { emptyAllowed, lostShareMax }: PublishRules,
  current: Manifest | undefined,
): string | undefined {
  if (!current || current.rows === 0) return undefined;
  const rows = rowsOf(segmentsOf(report, current).flatMap((segment) => segment.parts));
  if (rows === 0) {
    return emptyAllowed ? undefined : `the version would be empty; version ${current.version} has ${current.rows} rows`;
  }
  const lost = current.rows - rows;
  if (lost <= 0 || lost < lostShareMax * current.rows) return undefined;
  return `the version would lose ${lost} of the ${current.rows} rows of version ${current.version}`;
}

/** The same parts in the same order, as far out of date, of the same schema, checked against the same contract. */
function sameContent(report: RunReport, current: Manifest): boolean {
  const [before, now] = [current.segments, segmentsOf(report, current)].map((segments) =>
    segments.flatMap((segment) => segment.parts),
  );
  return (
    report.contractVersion === current.contract.version &&
    report.arrowSchema === current.arrowSchema &&
    report.incremental?.buckets?.count === current.buckets?.count &&
    now.length === before.length &&
    now.every(
      (part, i) => part.digest === before[i].digest && (part.stale ?? []).join() === (before[i].stale ?? []).join(),
    )
  );
}
