/** What is done with the rows of an increment once all of them are read. */
import type { Assignment } from '../../schemas/generated/assignment.ts';
import type { UpsertMode } from '../../schemas/generated/dataset.ts';
import type { PartitionResult, ThreadSetup } from '../messages.ts';
import type { ThreadPool } from '../thread-pool.ts';
import { segmentsToCompact } from './append.ts';
import { bucketsFor } from './buckets.ts';
import type { Increment } from './opening.ts';
import type { Outcome } from './report.ts';

/** Whether new rows may have keys that earlier segments have: not where each segment has a range of the key itself. */
export function comparesEarlier(assignment: Assignment, increment: Increment | undefined): boolean {
  if (increment?.mode.kind !== 'append' || increment.full || increment.base === undefined) return false;
  return !(assignment.contract.key as string[]).includes(increment.mode.cursor);
}

export async function finishIncrement(
  pool: ThreadPool,
  setup: ThreadSetup,
  increment: Increment,
  results: PartitionResult[],
): Promise<{ results: PartitionResult[]; outcome: Outcome }> {
  if (increment.mode.kind === 'append') return appendSegment(pool, setup, increment, results);
  return { results, outcome: await putIntoBuckets(pool, increment, results) };
}

async function putIntoBuckets(pool: ThreadPool, increment: Increment, results: PartitionResult[]): Promise<Outcome> {
  const { base, changes, full } = increment;
  const { buckets: wanted } = increment.mode as Pick<UpsertMode, 'buckets'>;
  const bytes = results.reduce((sum, result) => sum + result.bytesRead, 0);
  const buckets = base?.buckets?.count ?? wanted ?? bucketsFor(bytes);
  const merged = await pool.merge({
    kind: 'merge',
    runs: results.flatMap((result) => result.runs ?? []),
    buckets,
    base: base && { parts: base.segments.flatMap((segment) => segment.parts), sums: base.sums },
    full: full || results.some((result) => result.changes?.truncated),
    rows: changes === undefined ? 'state' : 'changes',
  });
  return { merged, buckets };
}

async function appendSegment(
  pool: ThreadPool,
  setup: ThreadSetup,
  increment: Increment,
  read: PartitionResult[],
): Promise<{ results: PartitionResult[]; outcome: Outcome }> {
  const segments = increment.full ? [] : (increment.base?.segments ?? []);
  const earlier = { parts: segments.flatMap((segment) => segment.parts) };
  const compared = comparesEarlier(setup.assignment, increment) ? earlier : undefined;
  const spilled = setup.spillDirectory !== undefined && read.some((result) => result.rowsRead > 0);
  const results = spilled ? await pool.deduplicate(read, compared) : read;
  const parts = results.flatMap((result) => result.parts);
  const compacted = parts.length === 0 ? 0 : segmentsToCompact(segments);
  if (compacted === 0) return { results, outcome: { parts, segmentsKept: segments.length } };
  const segmentsKept = segments.length - compacted;
  const together = [...segments.slice(segmentsKept).flatMap((segment) => segment.parts), ...parts];
  return { results, outcome: { parts: await pool.compact(together), segmentsKept } };
}
