import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import { getCase } from '../../exchange/duties/list.ts';
import type { CaseParty } from '../../lib/pure/case-states.ts';
import type { CaseAction } from '../../lib/pure/case-transitions.ts';
import { sendCaseAct, tend } from '../../server/case-workflow.ts';
import { caseQuery, caseWorkflowId } from '../../workflows/messages.ts';
import type { Bench } from '../exchange/access/support.ts';
import {
  type ActOnCase,
  CLAIM,
  fileOne,
  messageOf,
  openDutyBench,
  publishName,
  viewer,
} from '../exchange/duties/support.ts';
import { openTemporal, record, type TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
let bench: Bench;
beforeAll(async () => {
  [temporal, bench] = await Promise.all([openTemporal(), openDutyBench()]);
});
afterAll(async () => {
  await temporal.close();
  await bench.close();
});

const send = (id: string, party: CaseParty, action: CaseAction, content: ActOnCase = {}) =>
  sendCaseAct(temporal.client, id, messageOf(party, action, content));
const handleOf = (id: string) => temporal.client.workflow.getHandle(caseWorkflowId(id));
const show = (id: string) => getCase(bench.world.catalog, viewer(bench, 'education'), id);

/** With the real activities, some of them replaced. */
function working<T>(body: () => Promise<T>, changes: Partial<ReturnType<typeof createExchangeActivities>> = {}) {
  return temporal.withWorkers({ ...createExchangeActivities({ publication: bench.world }), ...changes }, body);
}

test('a pass starts the workflow of a case that has none, and mends what a new version shows', () =>
  working(async () => {
    const id = await fileOne(bench);
    expect(await tend(bench.access, temporal.client)).toMatchObject({ started: 1, mended: 0 });
    await expect.poll(() => handleOf(id).query(caseQuery)).toMatchObject({ facts: { state: 'PROVIDER_CHECK' } });
    await send(id, 'provider', 'accept');
    await publishName(bench, CLAIM);
    expect(await tend(bench.access, temporal.client)).toMatchObject({ started: 0, mended: 1 });
    expect(await handleOf(id).result()).toMatchObject({ id, facts: { state: 'CONSUMERS_NOTIFIED' } });
    await record('duty-case.fixed', handleOf(id));
    await expect(send(id, 'claimant', 'withdraw')).rejects.toMatchObject({ code: 'CASE_STATE' });
  }));

test('refuses what cannot be done without a trace; neither key nor claim is in the history', () =>
  working(async () => {
    const id = await fileOne(bench);
    await tend(bench.access, temporal.client);
    await expect.poll(() => handleOf(id).query(caseQuery)).not.toBeNull();
    await expect(send(id, 'claimant', 'accept')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const message = messageOf('provider', 'reject', { id: randomUUID(), reason: '以户籍系统为准' });
    const first = await sendCaseAct(temporal.client, id, message);
    expect(await sendCaseAct(temporal.client, id, message)).toEqual(first);
    await send(id, 'claimant', 'dispute', { reason: '户籍已更正' });
    await send(id, 'supervisor', 'uphold', { reason: '依据不足' });
    await handleOf(id).result();
    await record('duty-case.upheld', handleOf(id));
    const { events } = await handleOf(id).fetchHistory();
    const accepted = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
    expect(accepted).toHaveLength(3);
    const payloads = [...JSON.stringify(events).matchAll(/"data":"([^"]*)"/g)];
    const history = payloads.map(([, data]) => Buffer.from(data!, 'base64').toString()).join('\n');
    expect(history).toContain('依据不足');
    for (const secret of [CLAIM, '张三']) expect(history).not.toContain(secret);
  }));

test('an action whose answer was lost is found in the catalog', async () => {
  const activities = createExchangeActivities({ publication: bench.world });
  let lost = false;
  const actOnCase: typeof activities.actOnCase = async (act) => {
    const snapshot = await activities.actOnCase(act);
    if (lost) return snapshot;
    lost = true;
    throw new Error('the worker died after the commit');
  };
  await working(
    async () => {
      const id = await fileOne(bench);
      expect(await send(id, 'provider', 'accept')).toMatchObject({ facts: { state: 'ACCEPTED' } });
      expect((await show(id)).history!.map(({ action }) => action)).toEqual(['open', 'route', 'accept']);
      await handleOf(id).terminate('the test is over');
    },
    { actOnCase },
  );
});
