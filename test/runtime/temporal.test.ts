import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { withTemporal } from '../support/temporal.ts';

it('the embedded Temporal runs a workflow', async () => {
  await withTemporal(async ({ client, nativeConnection, namespace, unique }) => {
    const taskQueue = unique('greet');
    const worker = await Worker.create({
      connection: nativeConnection,
      namespace,
      taskQueue,
      workflowsPath: new URL('./fixtures/greet-workflow.ts', import.meta.url).pathname,
      activities: { greet: async (name: string) => `您好，${name}` },
    });
    const answer = await worker.runUntil(
      client.workflow.execute('greetWorkflow', { taskQueue, workflowId: unique('greet'), args: ['龙华'] }),
    );
    expect(answer).toBe('您好，龙华');
  });
});
