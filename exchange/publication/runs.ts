/** Runs: begun, failed, listed. What makes one succeed is in `commit.ts`. */
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { sourceQueue } from '../../lib/pure/task-queues.ts';
import type { DatasetDefinition, PublishMode } from '../../schemas/generated/dataset.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import { needsAdmission } from './admission.ts';
import type { Publication, Reading, Run, RunState } from './publication.ts';
import { type RunRow, readRunRow, toRun } from './rows.ts';

export interface BeginRun {
  /** The workflow's run id, a UUID. */
  runId: string;
  dataset: string;
  workflowId: string;
  trigger: 'manual' | 'schedule';
  /** As the audit log names actors: `token:<id>`, `system:schedule`. */
  actor: string;
  /** Whoever starts it knows that the version may be empty or lose half its rows. */
  confirm?: boolean;
  /** What to read; absent: what the dataset's mode reads. */
  reading?: Reading;
  /** Whatever the source's windows; who said so stands in the log. */
  now?: boolean;
}

export interface BegunRun {
  runId: string;
  dataset: string;
  epoch: number;
  /** The task queue of the workers that can read the dataset's source. */
  queue: string;
  /** The source has limits: `admitRun` says when to read. */
  limited?: true;
}

/**
 * Begins a run and raises the dataset's epoch: every older run of the dataset can no longer commit. Repeated with the
 * same run id it changes nothing and gives the same answer. Throws NOT_FOUND.
 */
export async function beginRun({ catalog }: Publication, request: BeginRun): Promise<BegunRun> {
  return catalog.transaction(async (transaction) => {
    const [dataset] = await transaction('dataset')
      .where({ code: request.dataset, state: 'active' })
      .forUpdate()
      .select<{ department: string; current_version: number | null; definition: DatasetDefinition }[]>(
        'department',
        'current_version',
        'definition',
      );
    if (!dataset)
      throw new HuitongError('NOT_FOUND', '没有该数据集 · there is no such dataset', { at: request.dataset });
    const begun = {
      runId: request.runId,
      dataset: request.dataset,
      queue: sourceQueue(dataset.department),
      ...((await isLimited(transaction, dataset.definition.source)) && { limited: true as const }),
    };
    assertReadable(request, dataset.definition.mode, dataset.current_version);
    const before = await transaction<RunRow>('run').where({ id: request.runId }).first();
    if (before) return { ...begun, epoch: before.epoch };

    await transaction('run')
      .where({ dataset: request.dataset, state: 'running' })
      .update({
        state: 'failed',
        failure_code: 'FENCED' satisfies ErrorCode,
        failure_message: 'a newer run of this dataset began',
        ended_at: transaction.fn.now(),
      });
    const [{ epoch }] = await transaction('dataset')
      .where({ code: request.dataset })
      .increment('epoch')
      .returning<{ epoch: number }[]>('epoch');
    await transaction('run').insert({
      id: request.runId,
      dataset: request.dataset,
      workflow_id: request.workflowId,
      trigger: request.trigger,
      actor: request.actor,
      confirmed: request.confirm ?? false,
      base_version: dataset.current_version,
      reading: request.reading === undefined ? null : JSON.stringify(request.reading),
      regardless: request.now ?? false,
      epoch,
    });
    return { ...begun, epoch };
  });
}

async function isLimited(transaction: Catalog, code: string): Promise<boolean> {
  const source = await transaction('source').where({ code }).first<{ definition: SourceDefinition }>('definition');
  return needsAdmission(source.definition);
}

/** A range can be read again where rows are put over others, and there is something to put them over. */
function assertReadable({ dataset, reading }: BeginRun, mode: PublishMode | undefined, current: number | null): void {
  if (reading?.from === undefined && reading?.to === undefined) return;
  const wrong = [
    ...(mode?.kind === 'upsert' ? [] : ['only a dataset of the mode upsert has ranges that can be read again']),
    ...(current === null ? ['nothing has been published yet'] : []),
    ...(reading.to === undefined ? ['a range has an end: --to'] : []),
    ...(reading.full ? ['a full refresh reads everything, not a range'] : []),
  ];
  if (wrong.length === 0) return;
  throw new HuitongError('REQUEST_INVALID', wrong.join('; '), {
    at: dataset,
    hint: 'A full refresh is always possible: --full.',
  });
}

export interface FailRun {
  runId: string;
  code: ErrorCode;
  message: string;
}

/**
 * Ends a run that is still running, as `cancelled` for the code CANCELLED and as `failed` for every other; what it
 * staged is left to the collector. A run that has ended stays as it is. Returns the run as it now stands: where a
 * commit came first, it tells so.
 */
export async function failRun(publication: Publication, { runId, code, message }: FailRun): Promise<Run> {
  await readRunRow(publication.catalog, runId);
  await publication
    .catalog('run')
    .where({ id: runId, state: 'running' })
    .update({
      state: code === 'CANCELLED' ? 'cancelled' : 'failed',
      failure_code: code,
      failure_message: message,
      ended_at: publication.catalog.fn.now(),
    });
  return getRun(publication, runId);
}

/** Throws NOT_FOUND. */
export async function getRun({ catalog }: Publication, runId: string): Promise<Run> {
  const row = await readRunRow(catalog, runId);
  const [{ department }] = await catalog('dataset')
    .where({ code: row.dataset })
    .select<{ department: string }[]>('department');
  return toRun({ ...row, department });
}

/** Whether a run of this dataset has no outcome yet. */
export async function hasRunning({ catalog }: Publication, dataset: string): Promise<boolean> {
  return (await catalog<RunRow>('run').where({ dataset, state: 'running' }).first('id')) !== undefined;
}

export interface ListRuns {
  dataset?: string;
  department?: string;
  state?: RunState;
  /** Default 100, at most 1,000. */
  limit?: number;
  cursor?: string;
}

/** Runs, newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listRuns({ catalog }: Publication, request: ListRuns): Promise<Page<Run>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog<RunRow & { department: string }>('run')
    .join('dataset', 'dataset.code', 'run.dataset')
    .orderBy([
      { column: 'run.started_at', order: 'desc' },
      { column: 'run.id', order: 'desc' },
    ])
    .limit(limit + 1);
  if (request.dataset !== undefined) query.where('run.dataset', request.dataset);
  if (request.department !== undefined) query.where('dataset.department', request.department);
  if (request.state !== undefined) query.where('run.state', request.state);
  if (request.cursor !== undefined) {
    query.whereRaw('(run.started_at, run.id) < (?::timestamptz, ?::uuid)', [
      ...decodeCursor(request.cursor, 'time', 'uuid'),
    ]);
  }
  const rows = await query.select<(RunRow & { department: string })[]>('run.*', 'dataset.department');
  return pageOf(rows, limit, (row) => [row.started_at.toISOString(), row.id], toRun);
}
