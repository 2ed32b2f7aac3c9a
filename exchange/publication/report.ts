/** The run report: read from the store, and held against what was really staged before anything in it is believed. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { sameDecimal } from '../../columnar/sums.ts';
import { HuitongError, type Problem } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import commonSchema from '../../schemas/document/common.json' with { type: 'json' };
import reportSchema from '../../schemas/document/run-report.json' with { type: 'json' };
import type { Manifest, ManifestPart } from '../../schemas/generated/manifest.ts';
import type { ReportedPart, RunReport } from '../../schemas/generated/run-report.ts';
import { readWhole } from '../store/read-whole.ts';
import type { Publication } from './publication.ts';
import type { RunRow } from './rows.ts';
import { rowsOf, segmentsOf } from './segments.ts';
import type { StagedKind } from './staging.ts';

const DECIMAL = /^[+-]?\d+(\.\d+)?$/;

const ajv = new Ajv2020({ allErrors: true, strict: true });
ajvFormats.default(ajv);
ajv.addSchema(commonSchema);
const validate = ajv.compile<RunReport>(reportSchema);

export interface StagedRow {
  digest: string;
  kind: StagedKind;
  size_bytes: number;
}

/** What this generation staged, by digest. */
export async function readStagedRows(
  { catalog }: Publication,
  runId: string,
  generation: number,
): Promise<Map<string, StagedRow>> {
  const rows = await catalog('staged_object')
    .where({ run: runId, generation })
    .select<StagedRow[]>('digest', 'kind', 'size_bytes');
  return new Map(rows.map((row) => [row.digest, row]));
}

/** Throws REPORT_INVALID for an object that this generation did not stage as a report, or that is not one. */
export async function readReport(
  { store }: Publication,
  digest: string,
  staged: Map<string, StagedRow>,
): Promise<RunReport> {
  const row = staged.get(digest);
  if (row?.kind !== 'report') throw invalid([{ message: 'this generation staged no such report' }], digest);
  if (row.size_bytes > limits.documentBytesMax) throw invalid([{ message: 'the report is too large' }], digest);
  const report = parse(await readWhole(await store.read(digest)));
  if (validate(report)) return report;
  const problems = (validate.errors ?? []).map((e) => ({ pointer: e.instancePath, message: e.message ?? e.keyword }));
  throw invalid(problems, digest);
}

/**
 * Throws REPORT_INVALID, with every contradiction found, unless the report is of this run and generation, made by its
 * contract, adds up, and names only parts of this generation or of the current version, with their true sizes. Throws
 * RECONCILIATION_MISMATCH where the source's own totals differ from what was read.
 */
export function checkReport(
  report: RunReport,
  run: Pick<RunRow, 'id' | 'generation' | 'dataset' | 'contract_version' | 'basis'>,
  staged: ReadonlyMap<string, StagedRow>,
  current: ReadonlyMap<string, ManifestPart>,
  base?: Manifest,
): void {
  const problems = [
    ...differences(report, run),
    ...accountProblems(report),
    ...(report.incremental ? incrementProblems(report, run, base) : []),
    ...report.parts.flatMap((part, i) => partProblems(part, `/parts/${i}`, 'part', staged, current)),
    ...report.quarantine.flatMap((part, i) => partProblems(part, `/quarantine/${i}`, 'quarantine', staged, new Map())),
    ...repeated([...report.parts, ...report.quarantine]),
  ];
  if (problems.length > 0) throw invalid(problems, run.id);
  reconcile(report);
}

type Finding = Pick<Problem, 'message' | 'pointer'>;

function differences(
  report: RunReport,
  run: Pick<RunRow, 'id' | 'generation' | 'dataset' | 'contract_version'>,
): Finding[] {
  const pairs: [string, unknown, unknown][] = [
    ['/runId', report.runId, run.id],
    ['/generation', report.generation, run.generation],
    ['/dataset', report.dataset, run.dataset],
    ['/contractVersion', report.contractVersion, run.contract_version],
  ];
  return pairs
    .filter(([, said, known]) => said !== known)
    .map(([pointer, said, known]) => ({ pointer, message: `is ${String(said)}, but the run's is ${String(known)}` }));
}

function accountProblems(report: RunReport): Finding[] {
  const { rowsRead, rowsPublished, rowsQuarantined } = report;
  const byCode = Object.values(report.quarantinedByCode).reduce((a, b) => a + b, 0);
  const sums: [string, number, number][] = [
    ['/rowsRead', rowsRead, rowsPublished + rowsQuarantined],
    ['/rowsPublished', rowsPublished, acceptedRows(report)],
    ['/rowsQuarantined', rowsQuarantined, rowsOf(report.quarantine)],
    ['/quarantinedByCode', byCode, rowsQuarantined],
  ];
  return sums
    .filter(([, said, sum]) => said !== sum)
    .map(([pointer, said, sum]) => ({ pointer, message: `counts ${said} rows, but they add up to ${sum}` }));
}

/** Rows read that kept the contract: for a snapshot they are the version. */
function acceptedRows({ incremental, parts }: RunReport): number {
  if (incremental === undefined) return rowsOf(parts);
  const { inserted, updated, unchanged, deleted } = incremental.changes;
  return inserted + updated + unchanged + deleted;
}

/** That an increment is of the run's own kind, and that its counts lead from the base's rows to its own. */
function incrementProblems(report: RunReport, run: Pick<RunRow, 'basis'>, base: Manifest | undefined): Finding[] {
  const { incremental, parts } = report;
  if (incremental === undefined) return [];
  const { base: builtOn, buckets, changes, segmentsKept } = incremental;
  const problems: Finding[] = [];
  const problem = (pointer: string, message: string) => problems.push({ pointer: `/incremental${pointer}`, message });
  if (run.basis === null) problem('', 'is reported, but the run is a snapshot');
  if (builtOn !== undefined && builtOn !== base?.version) problem('/base', 'is not the current version');
  if ((buckets === undefined) === (segmentsKept === undefined)) problem('', 'has either buckets or segments');
  if ((segmentsKept ?? 0) > (base?.segments.length ?? 0)) problem('/segmentsKept', 'are more than the base has');
  const before = builtOn === undefined ? 0 : (base?.rows ?? 0);
  const after = before + changes.inserted - changes.deleted - changes.vanished;
  const rows = rowsOf(segmentsOf(report, base).flatMap((segment) => segment.parts));
  if (rows !== after) problem('/changes', `lead to ${after} rows, but the version has ${rows}`);
  if (buckets !== undefined && !bucketsInOrder(parts, buckets.count)) {
    problem('/buckets', 'are not one part each, in their order');
  }
  return problems;
}

function bucketsInOrder(parts: ReportedPart[], count: number): boolean {
  return parts.every(
    ({ bucket }, i) => bucket !== undefined && bucket < count && (i === 0 || bucket > parts[i - 1].bucket!),
  );
}

function partProblems(
  part: ReportedPart,
  pointer: string,
  kind: StagedKind,
  staged: ReadonlyMap<string, StagedRow>,
  current: ReadonlyMap<string, ManifestPart>,
): Finding[] {
  const row = staged.get(part.digest);
  const known = row?.kind === kind ? row.size_bytes : current.get(part.digest)?.sizeBytes;
  if (known === undefined) return [{ pointer, message: `is not among what this generation staged as ${kind}` }];
  if (known !== part.sizeBytes) return [{ pointer, message: `has ${known} bytes, but ${part.sizeBytes} are reported` }];
  const rows = row?.kind === kind ? part.rows : current.get(part.digest)?.rows;
  const kept = row?.kind === kind ? undefined : current.get(part.digest);
  if (kept !== undefined && kept.bucket !== part.bucket) return [{ pointer, message: 'was another bucket' }];
  if (rows !== part.rows) return [{ pointer, message: `has ${rows} rows, but ${part.rows} are reported` }];
  return [];
}

/** Every contract has a key, and a quarantine is encrypted: two equal parts with rows cannot both be true. */
function repeated(parts: ReportedPart[]): Finding[] {
  const withRows = parts.filter((part) => part.rows > 0);
  const same = new Set(withRows.map((part) => part.digest)).size === withRows.length;
  return same ? [] : [{ pointer: '/parts', message: 'names one part twice' }];
}

function reconcile(report: RunReport): void {
  const totals = report.controlTotals;
  if (!totals) return;
  // Sums are of the published rows, the source's totals of all: they are comparable where nothing was quarantined.
  // A source that sums a NaN says NaN, which no column of ours can hold.
  const comparable = Object.entries(totals.sums).filter(
    ([column, sum]) => report.rowsQuarantined === 0 && column in report.sums && DECIMAL.test(sum),
  );
  const unequal = comparable.filter(([column, sum]) => !sameSum(sum, report.sums[column]));
  const wrong = [...(totals.rows === report.rowsRead ? [] : ['row count']), ...unequal.map(([column]) => column)];
  if (wrong.length === 0) return;
  throw new HuitongError('RECONCILIATION_MISMATCH', `the source's totals differ from what was read: ${wrong}`, {
    at: report.dataset,
  });
}

/** Whether two texts are the same decimal number; what is none is the same as nothing. */
export function sameSum(a: string, b: string | undefined): boolean {
  return b !== undefined && DECIMAL.test(a) && DECIMAL.test(b) && sameDecimal(a, b);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function invalid(findings: Finding[], at: string): HuitongError {
  const [first] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const where = first.pointer ? `${first.pointer} ` : '';
  return new HuitongError('REPORT_INVALID', `${where}${first.message}${more}`, {
    at,
    pointer: first.pointer,
    problems: findings.map((finding) => ({ code: 'REPORT_INVALID', ...finding })),
  });
}
