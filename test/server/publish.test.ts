/** Districts, runs and schedules over the API, with Temporal and without a worker. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changed, districtFiles } from '../catalog/support.ts';
import { until } from '../support/until.ts';
import { type Caller, openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
let administrator: Caller;
let engineer: Caller;
beforeAll(async () => {
  server = await openServer();
  // The district of these tests is applied over the API: the catalog begins empty.
  await server.bench.world.catalog.raw('truncate department, source, dataset, contract, district_apply cascade');
  administrator = await server.as('data', 'administrator');
  engineer = await server.as('health', 'engineer');
});
afterAll(() => server.close());

async function apply(files: Record<string, string>) {
  const plan = (await administrator('POST', '/district/plan', { body: { files } })).json();
  return administrator('POST', '/district/apply', { body: { files, planDigest: plan.digest } });
}

describe('a district', () => {
  test('is planned, applied, and then is as it is', async () => {
    const files = districtFiles();
    const plan = await administrator('POST', '/district/plan', { body: { files } });
    expect(plan.json()).toMatchObject({ empty: false, changed: [], problems: [] });
    expect((await (await server.as('data', 'officer'))('GET', '/datasets')).json().items).toEqual([]);
    const applied = await administrator('POST', '/district/apply', { body: { files, planDigest: plan.json().digest } });
    expect(applied.json()).toEqual(plan.json());
    expect((await engineer('GET', '/datasets')).json()).toMatchObject({
      items: [{ code: 'health.clinics' }, { code: 'health.vaccinations' }],
    });
    const again = await administrator('POST', '/district/plan', { body: { files } });
    expect(again.json()).toMatchObject({ empty: true, added: [] });
  });

  test('is not applied by a plan that was made for other files or another catalog', async () => {
    const next = changed('datasets/health/clinics.yaml', '接种点名录', '接种点名录（全区）');
    const plan = (await administrator('POST', '/district/plan', { body: { files: next } })).json();
    const asked = (planDigest: string) =>
      administrator('POST', '/district/apply', { body: { files: next, planDigest } });
    expect(problemOf(await asked('f'.repeat(64)))).toMatchObject({ code: 'PLAN_STALE', status: 409 });
    expect((await asked(plan.digest)).statusCode).toBe(200);
    expect(problemOf(await asked(plan.digest)).code).toBe('PLAN_STALE');
    expect((await apply(districtFiles())).statusCode).toBe(200);
  });

  test('with mistakes is refused: each with file, line and pointer, and the catalog stays as it was', async () => {
    const wrong = changed('datasets/health/clinics.yaml', 'openness: open', 'openess: open');
    const problem = problemOf(await administrator('POST', '/district/plan', { body: { files: wrong } }));
    expect(problem.code).toBe('DEFINITION_INVALID');
    expect(problem.errors).toContainEqual(
      expect.objectContaining({
        at: expect.stringMatching(/^datasets\/health\/clinics\.yaml:\d+/),
        pointer: '/openess',
      }),
    );
    expect((await administrator('POST', '/district/plan', { body: { files: districtFiles() } })).json().empty).toBe(
      true,
    );
  });

  test('sets the schedules that its datasets declare, and takes them away with them', async () => {
    await apply(districtFiles());
    const list = async () => (await engineer('GET', '/schedules')).json().items;
    await until('the schedule', async () => (await list()).length === 1);
    expect(await list()).toEqual([
      { dataset: 'health.vaccinations', paused: false, nextAt: expect.stringMatching(/T18:30:00\.000Z$/) },
    ]);
    const step = (name: string, caller = engineer) =>
      caller('POST', `/datasets/health.vaccinations/schedule/${name}`, { body: { reason: '机房检修' } });
    expect(problemOf(await step('pause', await server.as('police', 'engineer'))).code).toBe('NOT_FOUND');
    expect((await step('pause')).json()).toEqual({ dataset: 'health.vaccinations', paused: true, note: '机房检修' });
    // Applying again leaves what an operator paused.
    await apply(districtFiles());
    await until('the pause', async () => (await list())[0]?.paused === true);
    expect((await step('resume')).json()).toMatchObject({ paused: false, nextAt: expect.any(String) });
    expect(problemOf(await engineer('POST', '/datasets/health.clinics/schedule/pause')).code).toBe('NOT_FOUND');
    await apply(changed('datasets/health/vaccinations.yaml', 'schedule: { cron: "30 2 * * *" }\n', ''));
    await until('the end of the schedule', async () => (await list()).length === 0);
    await apply(districtFiles());
  });
});

describe('a run', () => {
  test('is started, is one at a time, and is cancelled with who and why', async () => {
    const started = await engineer('POST', '/datasets/health.clinics/runs', { body: { confirm: true } });
    expect(started.statusCode).toBe(202);
    const run = started.json();
    expect(run).toMatchObject({ dataset: 'health.clinics', state: 'running', confirmed: true, trigger: 'manual' });
    expect(run.actor).toMatch(/^token:/);
    expect((await engineer('GET', `/runs/${run.id}`)).json()).toMatchObject({ id: run.id, state: 'running' });
    expect(problemOf(await engineer('POST', '/datasets/health.clinics/runs'))).toMatchObject({
      code: 'RUN_IN_PROGRESS',
      status: 409,
    });
    const reason = '源库维护';
    const cancelled = await engineer('POST', `/runs/${run.id}/cancel`, { body: { reason } });
    expect(cancelled.statusCode).toBe(202);
    const history = await server.temporal.workflow.getHandle(run.workflowId, run.id).fetchHistory();
    const noted = history.events
      ?.map((event) => event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0]?.data)
      .find(Boolean);
    expect(JSON.parse(Buffer.from(noted as Uint8Array).toString())).toEqual({ actor: run.actor, reason });
    expect(history.events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
    await server.temporal.workflow.getHandle(run.workflowId).terminate();
  });

  test('that has ended cannot be cancelled', async () => {
    const { id, workflowId } = (await engineer('POST', '/datasets/health.vaccinations/runs')).json();
    await server.bench.world.catalog('run').where({ id }).update({ state: 'failed', ended_at: new Date() });
    expect(problemOf(await engineer('POST', `/runs/${id}/cancel`)).code).toBe('RUN_ENDED');
    await server.temporal.workflow.getHandle(workflowId).terminate();
  });

  test('whose workflow is gone is left as it is', async () => {
    const { id, workflowId } = (await engineer('POST', '/datasets/health.vaccinations/runs')).json();
    await server.temporal.workflow.getHandle(workflowId).terminate();
    expect((await engineer('POST', `/runs/${id}/cancel`)).statusCode).toBe(202);
  });

  test('is begun when the one before, which has its outcome, has left its workflow', async () => {
    const publish = () => engineer('POST', '/datasets/health.clinics/runs');
    const { id, workflowId } = (await publish()).json();
    await server.bench.world.catalog('run').where({ id }).update({ state: 'failed', ended_at: new Date() });
    const next = publish();
    expect(await Promise.race([next, delay(300, 'waits')])).toBe('waits');
    await server.temporal.workflow.getHandle(workflowId).terminate();
    const answer = await next;
    expect([answer.statusCode, answer.json().state]).toEqual([202, 'running']);
    expect(problemOf(await publish()).code).toBe('RUN_IN_PROGRESS');
    await server.bench.world.catalog('run').whereIn('id', [id, answer.json().id]).del();
    await server.temporal.workflow.getHandle(workflowId).terminate();
  });

  test('of a dataset that there is not, or that is another’s, is not begun', async () => {
    const stranger = await server.as('police', 'engineer');
    const absent = problemOf(await engineer('POST', '/datasets/health.none/runs'));
    const other = problemOf(await stranger('POST', '/datasets/health.clinics/runs'));
    expect(other).toEqual({ ...absent, at: 'health.clinics' });
    expect((await stranger('GET', '/runs')).json().items).toEqual([]);
  });

  test('is listed in pages, newest first', async () => {
    const first = (await engineer('GET', '/runs?limit=2')).json();
    expect(first.items).toHaveLength(2);
    const rest = (await engineer('GET', `/runs?limit=2&cursor=${encodeURIComponent(first.next)}`)).json();
    expect(rest.next).toBeUndefined();
    const ids = [...first.items, ...rest.items].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(3);
  });
});
