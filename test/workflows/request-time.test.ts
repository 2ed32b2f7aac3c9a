import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import { getGrant } from '../../exchange/access/explicit-grants.ts';
import { getRequest } from '../../exchange/access/requests/list.ts';
import type { Party } from '../../lib/pure/request-states.ts';
import { announcePolicy, sendAct } from '../../server/request-workflow.ts';
import { exchangeQueue, requestWorkflowId } from '../../workflows/messages.ts';
import {
  type Act,
  applyPolicy,
  draft,
  furnish,
  messageOf,
  person,
  policy,
} from '../exchange/access/requests/support.ts';
import { type Bench, batchOf, openBench } from '../exchange/access/support.ts';
import { openTimeSkipping } from '../support/time-skipping.ts';
import { bundle } from './bundle.ts';

const YEAR_MS = 365 * 86_400_000;

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const opened = await openTimeSkipping();
if (typeof opened === 'string') console.log(`skipped: ${opened}`);

describe.skipIf(typeof opened === 'string')('requests through years of calendar', () => {
  if (typeof opened === 'string') return;
  const temporal = opened;
  // Not the environment's own client: that one lets time run while it waits for a result.
  const client = new Client({ connection: temporal.connection });
  let bench: Bench;
  let worker: Worker;
  let running: Promise<void>;

  beforeAll(async () => {
    bench = await openBench({ sharing: { class: 'conditional', basis: { zh: '法', en: 'Law' } } });
    await furnish(bench.world.catalog);
    await bench.publish([[batchOf([[1n, '张三']])]]);
    worker = await Worker.create({
      connection: temporal.nativeConnection,
      taskQueue: exchangeQueue,
      workflowBundle: await bundle(),
      activities: createExchangeActivities({ publication: bench.world }),
    });
    running = worker.run();
  });
  afterAll(async () => {
    worker.shutdown();
    await running;
    await temporal.teardown();
    await bench.close();
  });

  const send = (request: string, party: Party, act: Act) => sendAct(client, request, messageOf(party, act));
  const show = (id: string) =>
    getRequest(
      bench.world.catalog,
      { principal: { tokenId: 't', department: 'education', subject: 'x', roles: ['officer'] }, person: person('x') },
      id,
    );
  const happened = async (id: string) => (await show(id)).history?.map(({ action }) => action) ?? [];
  const now = async () => new Date(await temporal.currentTimeMs());

  async function submitted(): Promise<string> {
    const id = await draft(bench.world, { expires: new Date((await now()).getTime() + 5 * YEAR_MS).toISOString() });
    await send(id, 'requester', { action: 'submit' });
    await send(id, 'sharing-officer', { action: 'endorse' });
    expect((await show(id)).history?.at(-1)).toMatchObject({ to: 'PROVIDER_REVIEW' });
    return id;
  }
  /** Lets time pass until what is asked for has come about; the clock stands still while activities are at work. */
  async function pass(days: number, until: () => Promise<boolean>): Promise<void> {
    await temporal.sleep(days * 86_400_000);
    await expect.poll(until).toBe(true);
  }

  test('a provider who is silent is reminded twice and reported once; nothing is approved by that', async () => {
    const id = await submitted();
    const { duty } = await show(id);
    expect(Date.parse(duty!.deadline) - Date.parse(duty!.beganAt)).toBeGreaterThan(9 * 86_400_000);
    await pass(400, async () => (await happened(id)).includes('overdue'));
    const { state, history } = await show(id);
    expect(state).toBe('PROVIDER_REVIEW');
    const notices = history!.slice(-3);
    expect(notices.map(({ action }) => action)).toEqual(['remind', 'remind', 'overdue']);
    const share = (at: string) =>
      (Date.parse(at) - Date.parse(duty!.beganAt)) / (Date.parse(duty!.deadline) - Date.parse(duty!.beganAt));
    expect(share(notices[0]!.at)).toBeCloseTo(0.5, 2);
    expect(share(notices[1]!.at)).toBeCloseTo(0.8, 2);
    expect(share(notices[2]!.at)).toBeCloseTo(1, 2);
    await send(id, 'requester', { action: 'withdraw' });
  });

  test('a new policy reaches the requests that wait', async () => {
    const id = await submitted();
    const before = (await show(id)).duty!;
    const workingDays = { ...policy.workingDays, conditionalAnswer: 30 };
    await applyPolicy(bench.world.catalog, { ...policy, version: '2.0.0', workingDays });
    await announcePolicy(client, [id, randomUUID()]);
    await expect.poll(async () => (await happened(id)).at(-1)).toBe('recompute');
    await applyPolicy(bench.world.catalog, policy);
    const after = (await show(id)).duty!;
    expect(after).toMatchObject({ policyVersion: '2.0.0', beganAt: before.beganAt });
    expect(Date.parse(after.deadline)).toBeGreaterThan(Date.parse(before.deadline) + 20 * 86_400_000);
    await send(id, 'requester', { action: 'withdraw' });
  });

  test('a grant of years runs out, its copies are due for destruction, and the workflow ends with that', async () => {
    const id = await submitted();
    const expires = new Date((await now()).getTime() + 3 * YEAR_MS).toISOString();
    await send(id, 'provider', { action: 'approve', decision: { expires } });
    const { grant } = await show(id);
    await pass(2 * 365, async () => (await show(id)).state === 'ACTIVE');
    expect((await getGrant(bench.world.catalog, grant!)).state).toBe('active');
    await pass(366, async () => (await show(id)).state === 'DESTRUCTION_PENDING');
    expect((await getGrant(bench.world.catalog, grant!)).state).toBe('revoked');
    await pass(60, async () => (await happened(id)).at(-1) === 'overdue');
    await send(id, 'requester', { action: 'confirm-destruction', reason: '已销毁' });
    expect(await client.workflow.getHandle(requestWorkflowId(id)).result()).toMatchObject({
      facts: { state: 'CLOSED' },
    });
  });

  test('a refusal that nobody disputes is closed; one that is disputed waits for the supervisor', async () => {
    const basis = { zh: '法', en: 'Law' };
    const [closed, disputed] = [await submitted(), await submitted()];
    for (const id of [closed, disputed]) await send(id, 'provider', { action: 'refuse', reason: '超出用途', basis });
    await send(disputed, 'requester', { action: 'dispute', reason: '有依据' });
    await pass(60, async () => (await show(closed)).state === 'CLOSED');
    await expect.poll(() => happened(disputed)).toContain('overdue');
    expect(await show(disputed)).toMatchObject({ state: 'DISPUTED', duty: { department: 'data', overdue: true } });
    await send(disputed, 'requester', { action: 'withdraw' });
  });

  test('over holidays that are not announced the deadline is provisional, and is counted again week after week', async () => {
    const id = await submitted();
    expect((await show(id)).duty?.provisional).toBe(true);
    const { length } = await happened(id);
    const workingDays = { ...policy.workingDays, conditionalAnswer: 40 };
    // Stands for the announcement: whatever changes the count, without anybody's signal.
    await applyPolicy(bench.world.catalog, { ...policy, version: '3.0.0', workingDays });
    await pass(8, async () => (await happened(id)).length > length && (await happened(id)).includes('recompute'));
    await applyPolicy(bench.world.catalog, policy);
    await send(id, 'requester', { action: 'withdraw' });
  });
});
