/** The report of an increment: what was read, what it changed in the version before, and up to where. */
import { KEY_HASH } from '../../columnar/keys.ts';
import { ColumnSums } from '../../columnar/sums.ts';
import type { ReportedIncrement, ReportedPart, RunReport } from '../../schemas/generated/run-report.ts';
import { countCodes, mismatch, publishedSums, type ReportInput, reconcile, reportHead, sum } from '../report.ts';
import type { MergeResult } from './merge.ts';
import type { Increment } from './opening.ts';

/** What has become of the rows that were read: buckets, or the new segment of an appended dataset. */
export type Outcome =
  | { merged: MergeResult; buckets: number }
  /** `parts` are the new segment; `segmentsKept` of the base stay before it. */
  | { parts: ReportedPart[]; segmentsKept: number };

/** @throws HuitongError RECONCILIATION_MISMATCH */
export function buildIncrementalReport(input: ReportInput, increment: Increment, outcome: Outcome): RunReport {
  const told = sum(input.results.map((result) => result.rowsRead));
  const result = 'merged' in outcome ? ofBuckets(input, increment, outcome) : ofSegment(input, increment, outcome);
  const { changes } = result.incremental;
  const rowsPublished = changes.inserted + changes.updated + changes.unchanged + changes.deleted;
  const rowsQuarantined = sum(result.quarantine.map((part) => part.rows));
  const rowsRead = rowsPublished + rowsQuarantined;
  if (increment.changes !== undefined) changes.superseded = told - rowsRead;
  else if (rowsRead !== told) {
    throw mismatch(input.assignment, `${told} rows were read, ${rowsRead} are accounted for`);
  }
  const { controlTotals, unreconciled } = reconcile(input, rowsRead);
  // Its sums are of what was read, and the report's are of the version: they are the same for a full and clean read.
  const whole = increment.full && rowsQuarantined === 0;
  return {
    ...reportHead(input),
    ...result,
    plan: { ...input.plan, unreconciled },
    rowsRead,
    rowsPublished,
    rowsQuarantined,
    ...(controlTotals && { controlTotals: { ...controlTotals, sums: whole ? controlTotals.sums : {} } }),
  };
}

type Told = Pick<RunReport, 'parts' | 'quarantine' | 'quarantinedByCode' | 'sums'> & { incremental: ReportedIncrement };

function ofBuckets(
  { assignment, results }: ReportInput,
  increment: Increment,
  { merged, buckets: count }: Extract<Outcome, { merged: MergeResult }>,
): Told {
  const { counts, duplicates, parts, stale, sums } = merged;
  const key = assignment.contract.key as string[];
  const byCode = countCodes(results);
  return {
    parts,
    quarantine: [...results.flatMap((result) => result.quarantine), ...merged.quarantine],
    quarantinedByCode: duplicates === 0 ? byCode : { ...byCode, DUPLICATE_KEY: duplicates },
    sums,
    incremental: {
      // Nothing told: the position stays.
      ...head(increment, results[0]?.changes?.position ?? increment.changes?.after),
      buckets: { count, key, hash: KEY_HASH },
      changes: { ...counts, superseded: 0, stale },
    },
  };
}

function ofSegment(
  { results, schema }: ReportInput,
  increment: Increment,
  { parts, segmentsKept }: Extract<Outcome, { segmentsKept: number }>,
): Told {
  const sums = new ColumnSums(schema);
  if (!increment.full) sums.merge(increment.base?.sums ?? {});
  sums.merge(publishedSums(schema, results));
  const inserted = sum(results.flatMap((result) => result.parts.map((part) => part.rows)));
  const none = { updated: 0, unchanged: 0, deleted: 0, superseded: 0, stale: 0 };
  const vanished = increment.full ? (increment.base?.rows ?? 0) : 0;
  return {
    parts,
    quarantine: results.flatMap((result) => result.quarantine),
    quarantinedByCode: countCodes(results),
    sums: sums.toText(),
    incremental: { ...head(increment), segmentsKept, changes: { inserted, vanished, ...none } },
  };
}

function head({ backfill, base, full, mode, position }: Increment, told?: string) {
  const reached = told ?? position;
  return {
    mode: mode.kind,
    full,
    ...(base && { base: base.version }),
    ...(reached !== undefined && { position: reached }),
    ...(backfill && { backfill }),
  };
}
