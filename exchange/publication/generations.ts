/** A generation: one attempt to extract, with one snapshot. Opening it fences the one before. */
import { assignmentParts } from '../../catalog/publishing.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Assignment } from '../../schemas/generated/assignment.ts';
import { abandonedCapture, incrementOf } from './increment.ts';
import type { Publication } from './publication.ts';
import { readRunRow } from './rows.ts';
import { pinUploads } from './uploads.ts';

export interface OpenGeneration {
  runId: string;
  /** Whether the worker that asks is the exchange's own; what any other stages is checked against its contract again. */
  trusted: boolean;
  /** Public X25519 key (base64) to which quarantined rows are sealed. */
  quarantineKey: string;
  /** Which attempt to extract this is, as Temporal counts them; default 1. */
  attempt?: number;
}

/**
 * Raises the run's generation and tells what is to be done. The contract is the dataset's at this moment; the commit
 * demands that the report was made by it. Throws NOT_FOUND, and FENCED where the run has ended, a newer run began, or a
 * newer attempt has opened a generation: a worker that was suspended may receive an attempt that Temporal has long given
 * up, and must not fence the one that took its place. Which generation may commit is still decided here, not by attempts.
 */
export async function openGeneration(
  { catalog }: Publication,
  { runId, trusted, quarantineKey, attempt = 1 }: OpenGeneration,
): Promise<{ generation: number; assignment: Assignment }> {
  const run = await readRunRow(catalog, runId);
  const publishable = await assignmentParts(catalog, run.dataset);
  const { contractVersion } = publishable;
  const assignment = withConnections(publishable.assignment, run.connections);
  const increment = await incrementOf(catalog, run, publishable);
  const captureToDrop = await abandonedCapture(catalog, run, publishable);
  const { rows } = await catalog.raw<{ rows: { generation: number }[] }>(RAISE, {
    contractVersion,
    trusted,
    runId,
    attempt,
    basis: increment?.basis ?? null,
  });
  if (rows.length === 0) {
    throw new HuitongError('FENCED', 'the run has ended, or a newer run or attempt has begun', { at: runId });
  }
  const [{ generation }] = rows;
  const { source } = assignment;
  const reading = {
    ...(source.connection.upload === true && { uploads: await pinUploads(catalog, runId, source.code) }),
    ...(increment && { incremental: increment.assignment }),
    ...(captureToDrop && { captureToDrop }),
  };
  return { generation, assignment: { ...assignment, ...reading, runId, generation, quarantineKey } };
}

const RAISE = `
  update run set generation = run.generation + 1, contract_version = :contractVersion, trusted = :trusted,
                 rechecked_report = null, extract_attempt = :attempt, basis = :basis
  from dataset
  where run.id = :runId and run.state = 'running' and run.extract_attempt <= :attempt
    and dataset.code = run.dataset and dataset.epoch = run.epoch
  returning run.generation`;

/** A run that was granted connections of its source opens no more. */
function withConnections<A extends Pick<Assignment, 'source'>>(assignment: A, connections: number | null): A {
  if (connections === null) return assignment;
  const { source } = assignment;
  return { ...assignment, source: { ...source, limits: { ...source.limits, connections } } };
}
