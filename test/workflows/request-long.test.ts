import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import { findTemporal } from '../../runtime/embedded/temporal-binary.ts';
import { sendAct } from '../../server/request-workflow.ts';
import { exchangeQueue, requestQuery, requestWorkflowId } from '../../workflows/messages.ts';
import { draft, furnish, messageOf } from '../exchange/access/requests/support.ts';
import { batchOf, openBench } from '../exchange/access/support.ts';
import { bundle } from './bundle.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

/** A history that Temporal calls long after some forty events instead of thousands. */
function openImpatient(path: string): Promise<TestWorkflowEnvironment> {
  const extraArgs = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40'];
  return TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, extraArgs } });
}

test('a request with a long life continues as new, and loses no step', async () => {
  const bench = await openBench({ sharing: { class: 'conditional', basis: { zh: '法', en: 'Law' } } });
  await furnish(bench.world.catalog);
  await bench.publish([[batchOf([[1n, '张三']])]]);
  const temporal = await openImpatient(await findTemporal(() => {}));
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: exchangeQueue,
    workflowBundle: await bundle(),
    activities: createExchangeActivities({ publication: bench.world }),
  });
  try {
    await worker.runUntil(async () => {
      const id = await draft(bench.world);
      const send = (...act: Parameters<typeof messageOf>) => sendAct(temporal.client, id, messageOf(...act));
      await send('requester', { action: 'submit' });
      const first = (await temporal.client.workflow.getHandle(requestWorkflowId(id)).describe()).runId;
      await send('sharing-officer', { action: 'endorse' });
      await send('provider', { action: 'approve', decision: {} });
      for (let round = 0; round < 6; round++) {
        await send('supervisor', { action: 'suspend', reason: '核查' });
        await send('supervisor', { action: 'resume' });
      }
      const handle = temporal.client.workflow.getHandle(requestWorkflowId(id));
      const { runId } = await handle.describe();
      expect(runId).not.toBe(first);
      expect(await handle.query(requestQuery)).toMatchObject({ facts: { state: 'ACTIVE' } });
      const steps = await bench.world.catalog('request_event').where({ request: id }).count({ n: '*' }).first();
      // Draft, submit, endorse, accept, route, approve, provision, activate; then two a round.
      expect(steps?.n).toBe(8 + 12);
    });
  } finally {
    await temporal.teardown();
    await bench.close();
  }
});
