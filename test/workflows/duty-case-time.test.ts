import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import { getCase, listCases } from '../../exchange/duties/list.ts';
import { openCase, systemActor } from '../../exchange/duties/open.ts';
import type { CaseKind, CaseParty } from '../../lib/pure/case-states.ts';
import type { CaseAction } from '../../lib/pure/case-transitions.ts';
import { announceToCases, sendCaseAct, startCase } from '../../server/case-workflow.ts';
import { caseWorkflowId, exchangeQueue } from '../../workflows/messages.ts';
import { applyPolicy, policy } from '../exchange/access/requests/support.ts';
import type { Bench } from '../exchange/access/support.ts';
import { type ActOnCase, fileOne, messageOf, openDutyBench, read, viewer } from '../exchange/duties/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { openTimeSkipping } from '../support/time-skipping.ts';
import { bundle } from './bundle.ts';

const DAY_MS = 86_400_000;

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const opened = await openTimeSkipping();
if (typeof opened === 'string') console.log(`skipped: ${opened}`);

describe.skipIf(typeof opened === 'string')('cases through years of calendar', () => {
  if (typeof opened === 'string') return;
  const temporal = opened;
  // Not the environment's own client: that one lets time run while it waits for a result.
  const client = new Client({ connection: temporal.connection });
  let bench: Bench;
  let worker: Worker;
  let running: Promise<void>;

  beforeAll(async () => {
    bench = await openDutyBench();
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

  const send = (id: string, party: CaseParty, action: CaseAction, content: ActOnCase = {}) =>
    sendCaseAct(client, id, messageOf(party, action, content));
  const show = (id: string) => getCase(bench.world.catalog, viewer(bench, 'data', 'wu', 'supervisor'), id);
  const happened = async (id: string) => (await show(id)).history!.map(({ action }) => action);
  const result = (id: string) => client.workflow.getHandle(caseWorkflowId(id)).result();
  const now = async () => new Date(await temporal.currentTimeMs());

  /** Lets time pass until what is asked for has come about; the clock stands still while activities are at work. */
  async function pass(days: number, until: () => Promise<boolean>): Promise<void> {
    await temporal.sleep(days * DAY_MS);
    await expect.poll(until).toBe(true);
  }

  /** Two reminders, then overdue, at the policy's shares of the time; and nothing is decided by that. */
  async function expectNotices(id: string, days = 60): Promise<void> {
    const { state, duty } = await show(id);
    await pass(days, async () => (await happened(id)).at(-1) === 'overdue');
    const after = await show(id);
    expect(after.state).toBe(state);
    expect(after.duty).toMatchObject({ overdue: true, department: duty!.department });
    const notices = after.history!.slice(-3);
    expect(notices.map(({ action }) => action)).toEqual(['remind', 'remind', 'overdue']);
    const span = Date.parse(duty!.deadline) - Date.parse(duty!.beganAt);
    for (const [i, share] of [0.5, 0.8, 1].entries()) {
      expect((Date.parse(notices[i]!.at) - Date.parse(duty!.beganAt)) / span).toBeCloseTo(share, 2);
    }
  }

  /** As each case here: begins by the clock of the workflows, which is years ahead of ours by the end of this file. */
  async function waiting(kind: CaseKind, cause: string): Promise<string> {
    const at = await now();
    const id = await bench.world.catalog.transaction((transaction) =>
      openCase(transaction, {
        ...{ kind, cause, department: 'education', provider: 'health', dataset: DATASET, version: 1 },
        ...{ person: null, actor: systemActor, at },
      }),
    );
    await startCase(client, id!);
    return id!;
  }

  test('a correction: the provider who is silent is reminded twice and reported once', async () => {
    const id = await fileOne(bench, { at: await now() });
    await startCase(client, id);
    await expectNotices(id, 3 * 365);
    await send(id, 'provider', 'reject', { reason: '以户籍系统为准' });
    await pass(60, async () => (await show(id)).state === 'CLOSED');
    expect((await happened(id)).slice(-2)).toEqual(['reject', 'close-rejected']);
    expect(await result(id)).toMatchObject({ facts: { state: 'CLOSED' } });
  });

  test('a correction that is disputed waits for the supervisor, who is reminded too, and then for the provider', async () => {
    const id = await fileOne(bench, { at: await now() });
    await send(id, 'provider', 'reject', { reason: '以户籍系统为准' });
    await send(id, 'claimant', 'dispute', { reason: '户籍已更正' });
    expect((await show(id)).duty).toMatchObject({ duty: 'correction-ruling', department: 'data' });
    await expectNotices(id);
    await send(id, 'supervisor', 'overturn', { reason: '应予更正' });
    expect((await show(id)).duty).toMatchObject({ duty: 'correction-fix', department: 'health' });
    await expectNotices(id);
    await read(bench, 'education');
    await send(id, 'provider', 'fix', { version: 1, reason: '已在来源更正' });
    expect(await result(id)).toMatchObject({ facts: { state: 'CONSUMERS_NOTIFIED' } });
  });

  test.each([
    ['rating', 'rating/x', 'provider', 'answer', 'ANSWERED'],
    ['confirmation', 'recall/x/1', 'holder', 'confirm-destroyed', 'CONFIRMED'],
    ['destruction', 'grant/x', 'holder', 'confirm-destruction', 'CLOSED'],
  ] as const)('a %s that waits for its answer', async (kind, cause, party, action, end) => {
    const id = await waiting(kind, cause);
    await expectNotices(id);
    await send(id, party, action, { reason: '已销毁' });
    expect(await result(id)).toMatchObject({ facts: { state: end } });
  });

  test('a new policy reaches the cases that wait', async () => {
    const id = await waiting('confirmation', 'recall/x/2');
    await expect.poll(async () => (await show(id)).duty?.duty).toBe('copies-confirmation');
    const before = (await show(id)).duty!;
    const workingDays = { ...policy.workingDays, correctionAnswer: 30 };
    await applyPolicy(bench.world.catalog, { ...policy, version: '2.0.0', workingDays });
    await announceToCases(client, [id]);
    await expect.poll(async () => (await happened(id)).at(-1)).toBe('recompute');
    await applyPolicy(bench.world.catalog, policy);
    const after = (await show(id)).duty!;
    expect(after).toMatchObject({ policyVersion: '2.0.0', beganAt: before.beganAt });
    expect(Date.parse(after.deadline)).toBeGreaterThan(Date.parse(before.deadline) + 20 * DAY_MS);
    await send(id, 'holder', 'confirm-replaced', { reason: '已更换' });
    const { items } = await listCases(bench.world.catalog, viewer(bench, 'education'), { state: 'CONFIRMED' });
    expect(items.map((item) => item.id)).toContain(id);
  });
});
