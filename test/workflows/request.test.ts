import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import type { Party } from '../../lib/pure/request-states.ts';
import { sendAct } from '../../server/request-workflow.ts';
import { requestQuery, requestWorkflowId } from '../../workflows/messages.ts';
import { type Act, draft, furnish, messageOf } from '../exchange/access/requests/support.ts';
import { type Bench, batchOf, openBench } from '../exchange/access/support.ts';
import { openTemporal, record, type TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
let bench: Bench;
beforeAll(async () => {
  [temporal, bench] = await Promise.all([
    openTemporal(),
    openBench({ sharing: { class: 'conditional', basis: { zh: '法', en: 'Law' } } }),
  ]);
  await furnish(bench.world.catalog);
  await bench.publish([[batchOf([[1n, '张三']])]]);
});
afterAll(async () => {
  await temporal.close();
  await bench.close();
});

const send = (id: string, party: Party, act: Act) => sendAct(temporal.client, id, messageOf(party, act));
const handleOf = (id: string) => temporal.client.workflow.getHandle(requestWorkflowId(id));

/** With the real activities, some of them replaced. */
function working<T>(body: () => Promise<T>, changes: Partial<ReturnType<typeof createExchangeActivities>> = {}) {
  return temporal.withWorkers({ ...createExchangeActivities({ publication: bench.world }), ...changes }, body);
}

async function submitted(): Promise<string> {
  const id = await draft(bench.world);
  await send(id, 'requester', { action: 'submit' });
  await send(id, 'sharing-officer', { action: 'endorse' });
  return id;
}

describe('request', () => {
  test('lives from its submission to the destruction of the copies', () =>
    working(async () => {
      const id = await submitted();
      await send(id, 'provider', { action: 'approve', decision: {} });
      expect(await handleOf(id).query(requestQuery)).toMatchObject({ facts: { state: 'ACTIVE' }, duty: null });
      await send(id, 'provider', { action: 'revoke', reason: '用途终止' });
      await send(id, 'requester', { action: 'confirm-destruction', reason: '已销毁' });
      expect(await handleOf(id).result()).toMatchObject({ id, facts: { state: 'CLOSED' } });
      await record('request.closed', handleOf(id));
      await expect(send(id, 'requester', { action: 'withdraw' })).rejects.toMatchObject({ code: 'REQUEST_STATE' });
    }));

  test('refuses what cannot be done without a trace, and what the catalog refuses with the catalog’s code', () =>
    working(async () => {
      const id = await submitted();
      await expect(send(id, 'requester', { action: 'approve', decision: {} })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      const updates = (await handleOf(id).fetchHistory()).events?.filter(
        (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
      );
      expect(updates).toHaveLength(2);
      const decision = { items: ['nothing'] };
      await expect(send(id, 'provider', { action: 'approve', decision })).rejects.toMatchObject({
        ...{ code: 'REQUEST_INVALID', pointer: '/decision/items/0' },
      });
      await send(id, 'requester', { action: 'withdraw' });
      await handleOf(id).result();
      await record('request.withdrawn', handleOf(id));
    }));

  test('one message sent twice is one step', () =>
    working(async () => {
      const id = await submitted();
      const ask = messageOf('provider', { action: 'ask', reason: '补正' });
      const first = await sendAct(temporal.client, id, ask);
      expect(await sendAct(temporal.client, id, ask)).toEqual(first);
    }));

  test('an action whose answer was lost is found in the catalog', async () => {
    const activities = createExchangeActivities({ publication: bench.world });
    let lost = false;
    const actOnRequest: typeof activities.actOnRequest = async (act) => {
      const snapshot = await activities.actOnRequest(act);
      if (act.action !== 'ask' || lost) return snapshot;
      lost = true;
      throw new Error('the worker died after the commit');
    };
    await working(
      async () => {
        const id = await submitted();
        expect((await send(id, 'provider', { action: 'ask', reason: '补正' })).facts.state).toBe('NEEDS_INFO');
        expect((await send(id, 'requester', { action: 'answer', reason: '补充' })).facts.state).toBe('PROVIDER_REVIEW');
        const events = await bench.world.catalog('request_event').where({ request: id, action: 'ask' });
        expect(events).toHaveLength(1);
      },
      { actOnRequest },
    );
    expect(lost).toBe(true);
  });
});
