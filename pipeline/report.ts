/** The run report: what was read, where it went, and that it agrees with the source's own totals. */
import type { Schema } from 'apache-arrow';
import { ColumnSums, sameDecimal } from '../columnar/sums.ts';
import type { ControlTotals, SnapshotGuarantee } from '../connectors/connector.ts';
import { HuitongError } from '../lib/errors.ts';
import type { Assignment } from '../schemas/generated/assignment.ts';
import type { RunReport } from '../schemas/generated/run-report.ts';
import type { PartitionResult } from './messages.ts';

export interface ReportInput {
  assignment: Assignment;
  generation: number;
  guarantee: SnapshotGuarantee;
  snapshotAt: Date;
  plan: Record<string, unknown>;
  schema: Schema;
  arrowSchema: string;
  /** In plan order. */
  results: PartitionResult[];
  totals: ControlTotals | undefined;
  elapsedMs: number;
}

/** @throws HuitongError RECONCILIATION_MISMATCH where a row is unaccounted for, or the source counted or summed otherwise */
export function buildReport(input: ReportInput): RunReport {
  const { assignment, results, schema } = input;
  const parts = results.flatMap((result) => result.parts);
  const quarantine = results.flatMap((result) => result.quarantine);
  const rowsRead = sum(results.map((result) => result.rowsRead));
  const rowsPublished = sum(parts.map((part) => part.rows));
  const rowsQuarantined = sum(quarantine.map((part) => part.rows));
  if (rowsRead !== rowsPublished + rowsQuarantined) {
    throw mismatch(assignment, `${rowsRead} rows were read, ${rowsPublished + rowsQuarantined} are accounted for`);
  }
  const published = publishedSums(schema, results);
  const { controlTotals, unreconciled } = reconcile(input, rowsRead);
  return {
    ...reportHead(input),
    plan: { ...input.plan, unreconciled },
    rowsRead,
    rowsPublished,
    rowsQuarantined,
    parts,
    quarantine,
    quarantinedByCode: countCodes(results),
    sums: published,
    controlTotals,
  };
}

/** What a report says of its run, whatever was read. */
export function reportHead(input: ReportInput) {
  const { assignment } = input;
  return {
    format: 'huitong.run-report/1' as const,
    runId: assignment.runId,
    generation: input.generation,
    dataset: assignment.dataset,
    contractVersion: String(assignment.contract.version),
    arrowSchema: input.arrowSchema,
    guarantee: input.guarantee,
    snapshotAt: input.snapshotAt.toISOString(),
    elapsedMs: input.elapsedMs,
  };
}

/** Of the rows that kept the contract. */
export function publishedSums(schema: Schema, results: PartitionResult[]): Record<string, string> {
  return added(schema, results, (result) => [result.publishedSums]);
}

/** What of the source's totals can be compared, once it was found equal. Throws RECONCILIATION_MISMATCH. */
export function reconcile(
  { assignment, guarantee, results, schema, totals }: ReportInput,
  rowsRead: number,
): { controlTotals: ControlTotals | undefined; unreconciled: Record<string, string> } {
  const read = added(schema, results, (result) => [result.publishedSums, result.quarantinedSums]);
  const unreconciled = unreconciledColumns(results, totals, read);
  const controlTotals = totals === undefined ? undefined : comparable(totals, unreconciled);
  // Without one snapshot for both, rows that others write between the count and the read are no fault of anybody.
  if (controlTotals !== undefined && guarantee === 'snapshot') {
    assertAgrees(assignment, controlTotals, rowsRead, read);
  }
  return { controlTotals, unreconciled };
}

function assertAgrees(assignment: Assignment, totals: ControlTotals, rows: number, sums: Record<string, string>): void {
  if (totals.rows !== rows) throw mismatch(assignment, `the source counts ${totals.rows} rows, ${rows} were read`);
  const wrong = Object.entries(totals.sums).filter(([column, text]) => !sameDecimal(text, sums[column]!));
  if (wrong.length === 0) return;
  const columns = wrong.map(([column]) => JSON.stringify(column)).join(', ');
  throw mismatch(assignment, `the source's sums differ from what was read in: ${columns}`);
}

/**
 * Columns whose sums cannot be compared, with the reason: a cell that Arrow cannot hold is null for us, while the source
 * sums it (to NaN, for instance).
 */
function unreconciledColumns(
  results: PartitionResult[],
  totals: ControlTotals | undefined,
  read: Record<string, string>,
): Record<string, string> {
  if (totals === undefined) return {};
  const unrepresentable = new Set(results.flatMap((result) => result.unrepresentable));
  const reasonOf = (column: string): string | undefined => {
    if (unrepresentable.has(column)) return 'has cells that its Arrow type cannot hold';
    if (!(column in read)) return 'is not read as an integer or a decimal';
    return PLAIN_DECIMAL.test(totals.sums[column]!) ? undefined : 'has no finite sum in the source';
  };
  return Object.fromEntries(
    Object.keys(totals.sums).flatMap((column) => {
      const reason = reasonOf(column);
      return reason === undefined ? [] : [[column, reason]];
    }),
  );
}

const PLAIN_DECIMAL = /^[+-]?\d+(\.\d+)?$/;

function comparable({ rows, sums }: ControlTotals, unreconciled: Record<string, string>): ControlTotals {
  return { rows, sums: Object.fromEntries(Object.entries(sums).filter(([column]) => !(column in unreconciled))) };
}

function added(
  schema: Schema,
  results: PartitionResult[],
  of: (result: PartitionResult) => Record<string, string>[],
): Record<string, string> {
  const total = new ColumnSums(schema);
  for (const sums of results.flatMap(of)) total.merge(sums);
  return total.toText();
}

export function countCodes(results: PartitionResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { quarantinedByCode } of results) {
    for (const [code, count] of Object.entries(quarantinedByCode)) counts[code] = (counts[code] ?? 0) + count;
  }
  return counts;
}

export function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

export function mismatch(assignment: Assignment, message: string): HuitongError {
  return new HuitongError('RECONCILIATION_MISMATCH', message, { at: assignment.dataset });
}
