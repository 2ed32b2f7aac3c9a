/** A run that its source's limits keep waiting: durable timers, on a clock that is turned. */
import { randomUUID } from 'node:crypto';
import { Client, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Admission, AdmitRun } from '../../exchange/publication/admission.ts';
import { nextOpening } from '../../exchange/publication/windows.ts';
import { exchangeQueue, progressQuery } from '../../workflows/messages.ts';
import type { publishDataset } from '../../workflows/publish-dataset.ts';
import { openTimeSkipping } from '../support/time-skipping.ts';
import { bundle } from './bundle.ts';

const HOUR_MS = 3_600_000;
const extracted = {
  generation: 1,
  reportDigest: 'd'.repeat(64),
  rowsRead: 1,
  rowsPublished: 1,
  rowsQuarantined: 0,
  parts: 1,
};
const published = { outcome: 'published' as const, version: 1, rows: 1, rowsQuarantined: 0 };

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const opened = await openTimeSkipping();
if (typeof opened === 'string') console.log(`skipped: ${opened}`);

describe.skipIf(typeof opened === 'string')('a run that waits for its source', () => {
  if (typeof opened === 'string') return;
  const temporal = opened;
  // Not the environment's own client: that one lets time run while it waits for a result.
  const client = new Client({ connection: temporal.connection });
  let admit: (request: AdmitRun) => Promise<Admission>;
  const readAt: Date[] = [];
  const activities = {
    beginRun: async ({ runId, dataset }: { runId: string; dataset: string }) => ({
      ...{ runId, dataset, epoch: 1, queue: exchangeQueue, limited: true as const },
    }),
    admitRun: (request: AdmitRun) => admit(request),
    extract: async () => {
      readAt.push(new Date(await temporal.currentTimeMs()));
      return extracted;
    },
    recheckRun: async () => ({ rowsChecked: 0 }),
    commitRun: async () => published,
    failRun: vi.fn(async () => null),
  };
  let worker: Worker;
  let running: Promise<void>;

  beforeAll(async () => {
    const connection = temporal.nativeConnection;
    worker = await Worker.create({ connection, taskQueue: exchangeQueue, workflowBundle: await bundle(), activities });
    running = worker.run();
  });
  afterAll(async () => {
    worker.shutdown();
    await running;
    await temporal.teardown();
  });

  const start = (): Promise<WorkflowHandleWithFirstExecutionRunId<typeof publishDataset>> =>
    client.workflow.start<typeof publishDataset>('publishDataset', {
      workflowId: `publish/${randomUUID()}`,
      taskQueue: exchangeQueue,
      args: [{ dataset: 'health.people', trigger: 'schedule', actor: 'system:schedule' }],
    });

  test('reads nothing before its window opens, tells until when, and reads then', async () => {
    const now = await temporal.currentTimeMs();
    // Opens in some 10 hours, to the minute.
    const text = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    const windows = [{ notBefore: text(now + 10 * HOUR_MS), notAfter: text(now + 12 * HOUR_MS), timeZone: 'UTC' }];
    admit = async () => {
      const at = new Date(await temporal.currentTimeMs());
      const until = nextOpening(windows, at, 'UTC');
      return until > at ? { admitted: false, waitingFor: 'window', until: until.toISOString() } : { admitted: true };
    };
    const handle = await start();
    const until = nextOpening(windows, new Date(now), 'UTC').toISOString();
    await expect
      .poll(() => handle.query(progressQuery))
      .toEqual({ stage: 'waiting', waiting: { for: 'window', until } });
    await temporal.sleep('9 hours');
    expect(readAt).toEqual([]);
    await temporal.sleep('1 hours');
    await temporal.sleep('1 minute');
    expect(await handle.result()).toMatchObject(published);
    expect(readAt).toHaveLength(1);
    expect(readAt[0]!.getTime()).toBeGreaterThanOrEqual(Date.parse(until));
  });

  test('connections that do not come free end the run as SOURCE_BUSY, after many questions and not for ever', async () => {
    const asked: number[] = [];
    admit = async (request) => {
      asked.push(request.asked);
      const delay = request.asked < 3 ? 60_000 : 2 * HOUR_MS;
      const until = new Date((await temporal.currentTimeMs()) + delay).toISOString();
      return { admitted: false, waitingFor: 'connections', until };
    };
    const handle = await start();
    const ended = handle.result().catch((e: unknown) => e);
    await expect.poll(() => asked.length).toBe(1);
    await temporal.sleep('15 hours');
    expect(await ended).toMatchObject({ cause: { type: 'SOURCE_BUSY', nonRetryable: true } });
    expect(asked).toEqual([...asked.keys()]);
    expect(asked.length).toBeGreaterThan(5);
    expect(activities.failRun).toHaveBeenCalledWith(expect.objectContaining({ code: 'SOURCE_BUSY' }));
  });
});
