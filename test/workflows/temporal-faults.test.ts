/** Temporal goes away and comes back: under a deadline that waits (FAULTS 19), and from a worker's sight (FAULTS 16). */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RequestSnapshot } from '../../lib/pure/request-clock.ts';
import { type RunningTemporal, startTemporal } from '../../runtime/embedded/temporal.ts';
import { exchangeQueue, requestQuery } from '../../workflows/messages.ts';
import type { publishDataset } from '../../workflows/publish-dataset.ts';
import type { request } from '../../workflows/request.ts';
import { Link } from '../crash/link.ts';
import { bundle } from './bundle.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

let directory: string;
let server: RunningTemporal;
let workflowBundle: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-temporal-'));
  [server, workflowBundle] = await Promise.all([startTemporal({ directory }), bundle()]);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs `body` while a worker at `address` serves the exchange's queue, and `source-health`, with these activities. */
async function working<T>(address: string, activities: object, body: (client: Client) => Promise<T>): Promise<T> {
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address: server.address });
  try {
    const common = { connection: native, activities, workflowBundle, maxHeartbeatThrottleInterval: 100 };
    const exchange = await Worker.create({ ...common, taskQueue: exchangeQueue });
    const source = await Worker.create({ ...common, taskQueue: 'source-health' });
    return await exchange.runUntil(() => source.runUntil(() => body(new Client({ connection }))));
  } finally {
    await connection.close();
    await native.close();
  }
}

/** False where the machine was so slow that the deadline had passed before Temporal could be killed. */
async function restartUnderDeadline(waitMs: number): Promise<boolean> {
  const passTime = vi.fn(async (_: { action: string; at: string }) => overdue);
  const overdue = { ...waitingUntil(new Date(0)), sequence: 2, duty: null };
  return working(server.address, { passTime }, async (client) => {
    const deadline = new Date(Date.now() + waitMs);
    const snapshot = waitingUntil(deadline);
    const handle = await client.workflow.start<typeof request>('request', {
      workflowId: `request/${snapshot.id}`,
      taskQueue: exchangeQueue,
      args: [{ request: snapshot.id, snapshot }],
    });
    const events = async () => (await handle.fetchHistory()).events ?? [];
    await expect.poll(async () => (await events()).some((event) => event.timerStartedEventAttributes)).toBe(true);
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    const inTime = passTime.mock.calls.length === 0 && Date.now() < deadline.getTime();
    await delay(Math.max(0, deadline.getTime() - Date.now()));
    server = await startTemporal({ directory, port: Number(server.address.split(':')[1]) });
    await expect.poll(() => passTime.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(() => handle.query(requestQuery), { timeout: 60_000 }).toMatchObject({ sequence: 2 });
    const scheduled = (await events()).filter((event) => event.activityTaskScheduledEventAttributes);
    await handle.terminate();
    if (!inTime) return false;
    expect(scheduled).toHaveLength(1);
    expect(passTime).toHaveBeenCalledTimes(1);
    expect(passTime.mock.calls[0]![0]).toMatchObject({ action: 'overdue' });
    // By the workflow's clock, which no restart turns back.
    expect(Date.parse(passTime.mock.calls[0]![0].at)).toBeGreaterThanOrEqual(deadline.getTime());
    return true;
  });
}

function waitingUntil(deadline: Date): RequestSnapshot {
  return {
    id: randomUUID(),
    sequence: 1,
    facts: {
      state: 'PROVIDER_REVIEW',
      sharingClass: 'conditional',
      requesters: [],
      infoAsked: false,
      extension: 'none',
      askedIn: null,
    },
    duty: {
      remindersDue: [],
      deadline: deadline.toISOString(),
      provisional: false,
      overdue: false,
      window: false,
    },
    expires: null,
  };
}

test('a deadline that passes while Temporal is down is kept once, when it is back (FAULTS 19)', async () => {
  let waitMs = 4_000;
  while (!(await restartUnderDeadline(waitMs))) waitMs *= 3;
});

test('a worker whose connection to Temporal breaks in the midst of its work is believed once (FAULTS 16)', async () => {
  const link = await Link.open(server.address);
  const runs: string[] = [];
  const counts = { rowsRead: 1, rowsPublished: 1, rowsQuarantined: 0, parts: 1 };
  const committed = { outcome: 'published' as const, version: 1, rows: 1, rowsQuarantined: 0 };
  const activities = {
    beginRun: async () => ({ epoch: 1, queue: 'source-health' }),
    extract: async () => {
      runs.push('extract');
      link.cut();
      return { generation: 1, reportDigest: 'd'.repeat(64), ...counts };
    },
    recheckRun: async () => {
      runs.push('recheck');
      // Its answer is on its way when the connection stands still, and then breaks.
      link.freeze();
      setTimeout(() => link.cut(), 300);
      return { rowsChecked: 0 };
    },
    commitRun: async () => {
      runs.push('commit');
      return committed;
    },
    failRun: async () => null,
  };
  try {
    await working(link.address, activities, async (client) => {
      const handle = await client.workflow.start<typeof publishDataset>('publishDataset', {
        workflowId: `publish/health.cut-off/${randomUUID()}`,
        taskQueue: exchangeQueue,
        args: [{ dataset: 'health.cut-off', trigger: 'manual', actor: 'token:engineer' }],
      });
      expect(await handle.result()).toMatchObject(committed);
      const completed = ((await handle.fetchHistory()).events ?? []).filter(
        (event) => event.activityTaskCompletedEventAttributes,
      );
      expect(completed).toHaveLength(4);
      // Each at least once; what is counted is one answer of each.
      expect(new Set(runs)).toEqual(new Set(['extract', 'recheck', 'commit']));
    });
  } finally {
    link.close();
  }
});
