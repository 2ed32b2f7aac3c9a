import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { expect, it } from 'vitest';
import type { Configuration } from '../../runtime/configuration.ts';
import { WorkerGroup } from '../../runtime/temporal-worker.ts';
import { withTemporal } from '../support/temporal.ts';

it('a worker that is stopped lets running activities end within the grace time, which is not zero', () =>
  withTemporal(async ({ client, nativeConnection, namespace, unique }) => {
    const configuration = { shutdownGraceSeconds: 60, temporalNamespace: namespace } as Configuration;
    const group = new WorkerGroup(configuration, nativeConnection);
    const taskQueue = unique('grace');
    let started = () => {};
    const isStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    let end = () => {};
    const mayEnd = new Promise<void>((resolve) => {
      end = resolve;
    });
    await group.start(taskQueue, {
      workflowsPath: new URL('./fixtures/greet-workflow.ts', import.meta.url).pathname,
      activities: {
        greet: async (name: string) => {
          started();
          await Promise.race([mayEnd, Context.current().cancelled]);
          return `您好，${name}`;
        },
      },
    });
    const options = { taskQueue, workflowId: unique('grace'), args: ['龙华'] };
    const handle = await client.workflow.start('greetWorkflow', options);
    await isStarted;
    const stopped = group.stop();
    // Long enough for a cancellation to arrive, if there were one.
    await delay(300);
    end();
    await stopped;
    const completed = async () =>
      ((await handle.fetchHistory()).events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length;
    await expect.poll(completed).toBe(1);
    await handle.terminate();
  }));
