import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withFailures } from '../../activities/failure.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { checkSource } from '../../workflows/check-source.ts';
import { cancelNoteSignal, exchangeQueue, progressQuery } from '../../workflows/messages.ts';
import type { publishDataset } from '../../workflows/publish-dataset.ts';
import type { publishOnSchedule } from '../../workflows/publish-on-schedule.ts';
import { type Activities, openTemporal, record, type TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(() => temporal.close());

const DATASET = 'health.vaccinations';
const reportDigest = 'd'.repeat(64);
const counts = { rowsRead: 10, rowsPublished: 9, rowsQuarantined: 1, parts: 1 };
const published = { outcome: 'published' as const, version: 3, rows: 9, rowsQuarantined: 1 };

function mocked(changes: Activities = {}) {
  return {
    beginRun: vi.fn(async ({ runId, dataset }) => ({ runId, dataset, epoch: 1, queue: 'source-health' })),
    extract: vi.fn(async () => ({ generation: 1, reportDigest, ...counts })),
    recheckRun: vi.fn(async () => ({ rowsChecked: 0 })),
    commitRun: vi.fn(async () => published),
    failRun: vi.fn(async () => null),
    ...changes,
  } satisfies Activities;
}

function start(): Promise<WorkflowHandleWithFirstExecutionRunId<typeof publishDataset>> {
  return temporal.client.workflow.start<typeof publishDataset>('publishDataset', {
    workflowId: `publish/${DATASET}/${randomUUID()}`,
    taskQueue: exchangeQueue,
    args: [{ dataset: DATASET, trigger: 'manual', actor: 'token:engineer' }],
  });
}

const failureOf = async (result: Promise<unknown>) => {
  const error = await result.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error('the workflow did not fail', { cause: error });
  return error.cause;
};

describe('publishDataset', () => {
  it('begins, extracts, checks again and commits, under its own run id', async () => {
    const activities = mocked();
    await temporal.withWorkers(activities, async () => {
      const handle = await start();
      const runId = handle.firstExecutionRunId;
      expect(await handle.result()).toEqual({ ...published, runId });
      expect(activities.beginRun).toHaveBeenCalledWith(
        expect.objectContaining({ runId, dataset: DATASET, workflowId: handle.workflowId, actor: 'token:engineer' }),
      );
      expect(activities.extract).toHaveBeenCalledWith({ runId });
      expect(activities.recheckRun).toHaveBeenCalledWith({ runId, generation: 1, reportDigest });
      expect(activities.commitRun).toHaveBeenCalledWith({ runId, generation: 1, reportDigest });
      expect(activities.failRun).not.toHaveBeenCalled();
      expect(await handle.query(progressQuery)).toEqual({ stage: 'ended', extracted: counts });
      await record('publish-dataset.published', handle);
    });
  });

  it('gives a rejection as its result: the process worked, the data was refused', async () => {
    const rejected = {
      outcome: 'rejected' as const,
      code: 'TOLERANCE_EXCEEDED' as const,
      message: '6 of 10 rows',
      rows: 4,
      rowsQuarantined: 6,
    };
    await temporal.withWorkers(mocked({ commitRun: async () => rejected }), async () => {
      const handle = await start();
      expect(await handle.result()).toMatchObject(rejected);
    });
  });

  it('extracts again after a retriable failure, which is a new generation', async () => {
    let attempts = 0;
    const extract = () =>
      withFailures(async () => {
        attempts += 1;
        if (attempts === 1) throw new HuitongError('SNAPSHOT_LOST', 'the snapshot is gone');
        return { generation: attempts, reportDigest, ...counts };
      });
    const activities = mocked({ extract });
    await temporal.withWorkers(activities, async () => {
      const handle = await start();
      expect(await handle.result()).toMatchObject(published);
      expect(activities.commitRun).toHaveBeenCalledWith(expect.objectContaining({ generation: 2 }));
      await record('publish-dataset.second-generation', handle);
    });
  });

  it('fails at once with the code of a fatal error, which the run’s row gets too', async () => {
    const extract = vi.fn(() =>
      withFailures(async () => {
        throw new HuitongError('TABLE_NOT_FOUND', 'there is no table public.vaccination', { at: 'health-db' });
      }),
    );
    const activities = mocked({ extract });
    await temporal.withWorkers(activities, async () => {
      const handle = await start();
      const failure = await failureOf(handle.result());
      expect(failure).toBeInstanceOf(ApplicationFailure);
      expect(failure).toMatchObject({ type: 'TABLE_NOT_FOUND', details: [{ at: 'health-db' }] });
      expect(extract).toHaveBeenCalledTimes(1);
      expect(activities.commitRun).not.toHaveBeenCalled();
      expect(activities.failRun).toHaveBeenCalledWith({
        runId: handle.firstExecutionRunId,
        code: 'TABLE_NOT_FOUND',
        message: 'there is no table public.vaccination (health-db)',
      });
      await record('publish-dataset.failed', handle);
    });
  });

  it('tells an unexpected error without its message, which may quote a cell', async () => {
    const commitRun = () => Promise.reject(ApplicationFailure.nonRetryable('stop', 'FENCED'));
    let attempts = 0;
    const extract = () =>
      withFailures(async () => {
        attempts += 1;
        if (attempts === 1) throw new Error('invalid input: "440300199001011234"');
        return { generation: 2, reportDigest, ...counts };
      });
    await temporal.withWorkers(mocked({ commitRun, extract }), async () => {
      const handle = await start();
      expect(await failureOf(handle.result())).toMatchObject({ type: 'FENCED' });
      expect(JSON.stringify(await handle.fetchHistory())).not.toContain('440300199001011234');
    });
  });

  it('cancelled, waits until the source is free, and the run says who and why', async () => {
    const order: string[] = [];
    const extract = () =>
      withFailures(async () => {
        const { cancellationSignal } = Context.current();
        while (!cancellationSignal.aborted) {
          Context.current().heartbeat();
          await delay(20);
        }
        order.push('source freed');
        throw new HuitongError('CANCELLED', 'cancelled');
      });
    const failRun = vi.fn(async () => {
      order.push('run ended');
      return null;
    });
    await temporal.withWorkers(mocked({ extract, failRun }), async () => {
      const handle = await start();
      while ((await handle.query(progressQuery)).stage !== 'extracting') await delay(50);
      await handle.signal(cancelNoteSignal, { actor: 'token:engineer', reason: 'wrong table' });
      await handle.cancel();
      expect((await failureOf(handle.result()))?.name).toBe('CancelledFailure');
      expect(order).toEqual(['source freed', 'run ended']);
      expect(failRun).toHaveBeenCalledWith(
        expect.objectContaining({ code: 'CANCELLED', message: 'cancelled by token:engineer: wrong table' }),
      );
      await record('publish-dataset.cancelled', handle);
    });
  });

  // Of itself: it has not heard that it is cancelled, and the server, which has, does not have it tried again.
  it.each(['SOURCE_UNREACHABLE', 'TABLE_NOT_FOUND'] as const)(
    'cancelled while an attempt fails of itself with %s, is a cancelled run all the same',
    async (code) => {
      let fail = () => {};
      const going = new Promise<void>((resolve) => {
        fail = resolve;
      });
      const extract = () =>
        withFailures(async () => {
          await going;
          throw new HuitongError(code, 'the database does not answer');
        });
      const activities = mocked({ extract });
      await temporal.withWorkers(activities, async () => {
        const handle = await start();
        await expect.poll(async () => (await handle.query(progressQuery)).stage).toBe('extracting');
        await handle.signal(cancelNoteSignal, { actor: 'token:engineer', reason: 'it is away' });
        await handle.cancel();
        const events = async () => (await handle.fetchHistory()).events ?? [];
        const isAsked = async () => (await events()).some((event) => event.activityTaskCancelRequestedEventAttributes);
        await expect.poll(isAsked).toBe(true);
        fail();
        expect((await failureOf(handle.result()))?.name).toBe('CancelledFailure');
        expect(activities.failRun).toHaveBeenCalledWith(
          expect.objectContaining({ code: 'CANCELLED', message: 'cancelled by token:engineer: it is away' }),
        );
      });
    },
  );
});

describe('publishOnSchedule', () => {
  it('publishes under the dataset’s one workflow id, and skips where a run is going on', async () => {
    let release = () => {};
    const going = new Promise<void>((resolve) => {
      release = resolve;
    });
    const extract = vi.fn(async () => {
      await going;
      return { generation: 1, reportDigest, ...counts };
    });
    const activities = mocked({ extract });
    await temporal.withWorkers(activities, async () => {
      const schedule = (n: number) =>
        temporal.client.workflow.start<typeof publishOnSchedule>('publishOnSchedule', {
          workflowId: `scheduled/${DATASET}-${n}`,
          taskQueue: exchangeQueue,
          args: [{ dataset: DATASET }],
        });
      const first = await schedule(1);
      await expect.poll(() => extract.mock.calls).toHaveLength(1);
      const second = await schedule(2);
      expect(await second.result()).toEqual({ outcome: 'skipped' });
      release();
      expect(await first.result()).toMatchObject(published);
      expect(activities.beginRun).toHaveBeenCalledWith(
        expect.objectContaining({ trigger: 'schedule', workflowId: `publish/${DATASET}`, actor: 'system:schedule' }),
      );
      await record('publish-on-schedule.published', first);
      await record('publish-on-schedule.skipped', second);
    });
  });
});

describe('checkSource and discoverSource', () => {
  const source = { code: 'health-db', kind: 'postgres', connection: { password: 'env:HEALTH_PASSWORD' } };
  const ask = (type: string) =>
    temporal.client.workflow.start<typeof checkSource>(type, {
      workflowId: `${type}/${randomUUID()}`,
      taskQueue: exchangeQueue,
      args: [{ source, queue: 'source-health' }],
    });

  it('give what the department’s worker answers, asked once', async () => {
    const report = { ok: false, steps: [{ name: 'connect' as const, ok: false, message: 'refused' }] };
    const activities = { checkSource: async () => report, discoverSource: async () => [] };
    await temporal.withWorkers(activities, async () => {
      const checked = await ask('checkSource');
      expect(await checked.result()).toEqual(report);
      await record('check-source.answered', checked);
      const discovered = await ask('discoverSource');
      expect(await discovered.result()).toEqual([]);
      await record('discover-source.answered', discovered);
    });
  });

  it('fail with the worker’s code', async () => {
    const discoverSource = vi.fn(() =>
      withFailures(async () => {
        throw new HuitongError('SOURCE_AUTH', 'the source refused the user');
      }),
    );
    await temporal.withWorkers({ discoverSource }, async () => {
      const discovered = await ask('discoverSource');
      expect(await failureOf(discovered.result())).toMatchObject({ type: 'SOURCE_AUTH' });
      expect(discoverSource).toHaveBeenCalledTimes(1);
    });
  });
});
