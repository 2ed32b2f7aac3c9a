/** Temporal's schedules, made to match what datasets declare. */
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { ScheduledDataset } from '../../catalog/publishing.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { exchangeQueue } from '../../lib/pure/task-queues.ts';

const PREFIX = 'schedule/';

export interface SyncedSchedules {
  created: string[];
  updated: string[];
  removed: string[];
}

/**
 * Creates, updates and removes schedules until they are those of `datasets`; schedules of others are left alone, and one
 * that an operator has paused stays paused. A run that is still going on when the next is due makes that one skipped.
 */
export async function syncSchedules(client: Client, datasets: ScheduledDataset[]): Promise<SyncedSchedules> {
  const synced: SyncedSchedules = { created: [], updated: [], removed: [] };
  for (const dataset of datasets) {
    const created = await createOrUpdate(client, dataset);
    synced[created ? 'created' : 'updated'].push(dataset.dataset);
  }
  const wanted = new Set(datasets.map(({ dataset }) => PREFIX + dataset));
  for await (const { scheduleId } of client.schedule.list()) {
    if (!scheduleId.startsWith(PREFIX) || wanted.has(scheduleId)) continue;
    await removeIfThere(client, scheduleId);
    synced.removed.push(scheduleId.slice(PREFIX.length));
  }
  return synced;
}

/** A schedule as an operator sees it. */
export interface ScheduleState {
  dataset: string;
  paused: boolean;
  /** Why it is paused. */
  note?: string;
  /** RFC 3339; absent while it is paused. */
  nextAt?: string;
}

/** All of ours, by dataset. Temporal's list lags behind a change by moments. */
export async function listScheduleStates(client: Client): Promise<ScheduleState[]> {
  const states: ScheduleState[] = [];
  for await (const { scheduleId, state, info } of client.schedule.list()) {
    if (scheduleId.startsWith(PREFIX)) states.push(stateOf(scheduleId, state, info.nextActionTimes[0]));
  }
  return states.sort((a, b) => (a.dataset < b.dataset ? -1 : 1));
}

/** Pauses a dataset's schedule, or lets it go on; applying a district leaves that as it is. Throws NOT_FOUND. */
export async function setSchedulePaused(
  client: Client,
  { dataset, paused, note }: { dataset: string; paused: boolean; note?: string },
): Promise<ScheduleState> {
  const handle = client.schedule.getHandle(PREFIX + dataset);
  try {
    await (paused ? handle.pause(note) : handle.unpause(note));
    const { scheduleId, state, info } = await handle.describe();
    return stateOf(scheduleId, state, info.nextActionTimes[0]);
  } catch (e: unknown) {
    if (!(e instanceof ScheduleNotFoundError)) throw e;
    throw new HuitongError('NOT_FOUND', '该数据集没有排程 · the dataset has no schedule', { at: dataset, cause: e });
  }
}

function stateOf(scheduleId: string, state: { paused: boolean; note?: string }, next: Date | undefined): ScheduleState {
  return {
    dataset: scheduleId.slice(PREFIX.length),
    paused: state.paused,
    ...(state.note ? { note: state.note } : {}),
    ...(next && !state.paused ? { nextAt: next.toISOString() } : {}),
  };
}

async function createOrUpdate(client: Client, dataset: ScheduledDataset): Promise<boolean> {
  const options = scheduleOf(dataset);
  try {
    await client.schedule.create(options);
    return true;
  } catch (e: unknown) {
    if (!(e instanceof ScheduleAlreadyRunning)) throw e;
  }
  const { spec, action, policies } = options;
  await client.schedule.getHandle(options.scheduleId).update(({ state }) => ({ spec, action, policies, state }));
  return false;
}

async function removeIfThere(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete();
  } catch (e: unknown) {
    // The list lags behind: another server may have removed it.
    if (!(e instanceof ScheduleNotFoundError)) throw e;
  }
}

function scheduleOf({ dataset, cron, timeZone }: ScheduledDataset) {
  return {
    scheduleId: PREFIX + dataset,
    spec: { cronExpressions: [cron], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'publishOnSchedule',
      workflowId: `scheduled/${dataset}`,
      taskQueue: exchangeQueue,
      args: [{ dataset }],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: limits.scheduleCatchUpMs },
  } satisfies ScheduleOptions;
}
