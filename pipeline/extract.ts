/**
 * One generation of one run, in the source worker's process: one snapshot, its partitions in threads, the source's own
 * totals beside them, and a report in which every row is accounted for.
 */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { schemaMessage } from '../columnar/message.ts';
import type { Connector, ControlTotals, ReadPlan, Snapshot } from '../connectors/connector.ts';
import { HuitongError, isHuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { makeScratch } from '../lib/scratch.ts';
import type { RunReport } from '../schemas/generated/run-report.ts';
import { comparesEarlier, finishIncrement } from './incremental/finish.ts';
import { type Opening, openSource } from './incremental/opening.ts';
import { buildIncrementalReport, type Outcome } from './incremental/report.ts';
import type { BatchLimits, PartitionResult, ThreadSetup } from './messages.ts';
import { type ExtractProgress, ProgressBoard } from './progress.ts';
import { buildReport } from './report.ts';
import { newRowBudget } from './row-budget.ts';
import type { StagedObject, StagingSession } from './staging.ts';
import { ThreadPool } from './thread-pool.ts';

export type { ExtractProgress } from './progress.ts';

export interface ExtractJob {
  session: StagingSession;
  connector: Connector;
  /** The source's connection with its secrets resolved. */
  config: unknown;
  signal: AbortSignal;
  /** Whether a source may be on the worker's own machine; absent: no. */
  loopbackAllowed?: boolean;
  /** A few times a second. */
  onProgress?: (progress: ExtractProgress) => void;
  /** Absent: as many as there are partitions and processors. */
  threads?: number;
  batchLimits?: BatchLimits;
  /** A thread's entry file: what knows the connectors. */
  threadEntry?: URL;
}

export interface Extracted {
  report: RunReport;
  staged: StagedObject;
}

const ENCODER = 'arrow-ipc zstd-1 align-64 /1';

/**
 * Reads, checks and stages everything, and submits the report. Nothing is published by it.
 * @throws HuitongError CANCELLED, FENCED, SNAPSHOT_LOST (start a new generation), RECONCILIATION_MISMATCH, and whatever
 *   the connector met. What was staged by then is nobody's, and is collected.
 */
export async function extract(job: ExtractJob): Promise<Extracted> {
  const startedAt = performance.now();
  const { connector, session } = job;
  const { assignment } = session;
  const ageMaxMs = Math.min(assignment.source.limits?.snapshotAgeMaxMs ?? Infinity, limits.snapshotAgeMaxMs);
  const tooOld = AbortSignal.timeout(ageMaxMs);
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, tooOld, stop.signal]);
  const label = `huitong/${assignment.dataset}/${assignment.runId}`;
  const spillRoot = await makeScratch('keys');
  let snapshot: Snapshot | undefined;
  try {
    const context = { signal, label, loopbackAllowed: job.loopbackAllowed };
    const opening = await openSource({ connector, config: job.config, session, context });
    snapshot = opening.snapshot;
    const setup = setupOf(job, opening, label, spillRoot);
    const { outcome, ...read } = await readAll(job, setup, opening, signal);
    const schema = connector.arrowSchema(opening.plan);
    const common = {
      generation: session.generation,
      guarantee: opening.plan.guarantee,
      arrowSchema: Buffer.from(schemaMessage(schema)).toString('base64'),
      elapsedMs: Math.round(performance.now() - startedAt),
    };
    const plan = describe(connector, setup);
    const input = { ...common, ...read, assignment, plan, schema, snapshotAt: snapshot.openedAt };
    const report =
      opening.increment === undefined || outcome === undefined
        ? buildReport(input)
        : buildIncrementalReport(input, opening.increment, outcome);
    return { report, staged: await session.submitReport(report) };
  } catch (e) {
    throw endedBy(job.signal, tooOld) ?? e;
  } finally {
    // Frees what the connector still holds open, should the failure not have come from it.
    stop.abort();
    await snapshot?.close();
    await rm(spillRoot, { recursive: true, force: true });
  }
}

function setupOf(job: ExtractJob, { plan, increment }: Opening, label: string, spillRoot: string): ThreadSetup {
  const { connector, session } = job;
  const { assignment } = session;
  const rowsPerSecond = assignment.source.limits?.rowsPerSecond;
  const bucketed = increment !== undefined && increment.mode.kind !== 'append';
  const proved = provesKey(plan, assignment.contract.key as string[]) && !comparesEarlier(assignment, increment);
  return {
    kind: connector.kind,
    config: job.config,
    plan,
    assignment,
    handle: session.handle,
    label,
    loopbackAllowed: job.loopbackAllowed,
    spillDirectory: proved || bucketed ? undefined : spillRoot,
    runsDirectory: bucketed ? spillRoot : undefined,
    changes: increment?.changes,
    limits: batchLimitsOf(job, rowsPerSecond),
    rowBudget: rowsPerSecond === undefined ? undefined : newRowBudget(rowsPerSecond),
  };
}

interface Read {
  results: PartitionResult[];
  totals: ControlTotals | undefined;
  /** Of an increment: what became of the rows. */
  outcome: Outcome | undefined;
}

/** Partitions in threads, and meanwhile the source's own totals; then what needs all of them. */
async function readAll(
  job: ExtractJob,
  setup: ThreadSetup,
  { increment, request, snapshot }: Opening,
  signal: AbortSignal,
): Promise<Read> {
  const streams = setup.changes === undefined ? setup.plan.partitions.length : 1;
  const board = new ProgressBoard(streams, job.onProgress);
  const entry = job.threadEntry ?? new URL('./thread.ts', import.meta.url);
  const size = threadsOf(job, streams);
  const pool = new ThreadPool({ entry, setup, size, snapshot, signal, board });
  try {
    const counted = setup.assignment.plan.controlTotals && setup.changes === undefined && streams > 0;
    const totals = counted ? snapshot.controlTotals(request) : Promise.resolve(undefined);
    const reading = pool.readAll(streams);
    // Whichever fails first ends the other: the pool by `stop`, the totals with the snapshot.
    const [results, taken] = await Promise.all([reading, totals]);
    if (increment !== undefined) return { totals: taken, ...(await finishIncrement(pool, setup, increment, results)) };
    const spilled = setup.spillDirectory !== undefined && results.some((result) => result.rowsRead > 0);
    return { results: spilled ? await pool.deduplicate(results) : results, totals: taken, outcome: undefined };
  } finally {
    await pool.stop();
  }
}

/** With a limit of rows a batch is a second's at most, so that the source is asked evenly. */
function batchLimitsOf({ batchLimits }: ExtractJob, rowsPerSecond = Number.POSITIVE_INFINITY): BatchLimits {
  const { batchRowsMax, batchBytesMax, partRowsMax, partBytesMax } = batchLimits ?? limits;
  return { batchRowsMax: Math.min(batchRowsMax, rowsPerSecond), batchBytesMax, partRowsMax, partBytesMax };
}

/** One connection of those that were granted holds the snapshot. */
function threadsOf({ threads = availableParallelism(), session }: ExtractJob, streams: number): number {
  const readers = (session.assignment.source.limits?.connections ?? Number.POSITIVE_INFINITY) - 1;
  return Math.max(1, Math.min(threads, readers, streams));
}

/** Whether the source itself keeps exactly the contract's key unique. */
function provesKey(plan: ReadPlan, key: string[]): boolean {
  const wanted = new Set(key);
  return plan.uniqueKeys.some((columns) => columns.length === wanted.size && columns.every((name) => wanted.has(name)));
}

function describe(
  connector: Connector,
  { plan, limits: batch, spillDirectory, runsDirectory }: ThreadSetup,
): Record<string, unknown> {
  const checked = runsDirectory === undefined ? 'checked after reading' : 'kept by the buckets';
  const proved = spillDirectory === undefined && runsDirectory === undefined;
  return {
    connector: connector.kind,
    source: plan.description,
    partitions: plan.partitions.length,
    ...batch,
    encoder: ENCODER,
    keyUniqueness: proved ? 'kept by the source' : checked,
  };
}

/** Cancellation and age show as all sorts of failures; they are told as what they are. */
function endedBy(cancelled: AbortSignal, tooOld: AbortSignal): HuitongError | undefined {
  if (cancelled.aborted) {
    const reason: unknown = cancelled.reason;
    return isHuitongError(reason) ? reason : new HuitongError('CANCELLED', 'the extract was cancelled');
  }
  if (!tooOld.aborted) return undefined;
  return new HuitongError('SNAPSHOT_LOST', 'the snapshot was held longer than allowed, and was given up', {
    hint: 'Read with more partitions, or fewer columns; see snapshotAgeMaxMs.',
  });
}
