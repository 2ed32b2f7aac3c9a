import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Admission, admitRun } from '../../../exchange/publication/admission.ts';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import { beginRun, failRun, getRun } from '../../../exchange/publication/runs.ts';
import type { SourceDefinition } from '../../../schemas/generated/source.ts';
import { DATASET, openWorld, runRequest, type World } from './world.ts';

const DATASETS = 6;
const datasetOf = (i: number) => (i === 0 ? DATASET : `health.other-${i}`);
const noon = new Date('2026-11-23T04:00:00.000Z');
let world: World;

beforeAll(async () => {
  world = await openWorld({ partitions: 3 });
  const { catalog } = world;
  await catalog('district_apply').insert({
    ...{ id: randomUUID(), actor: 'test', district: 'longhua', plan_digest: 'd', plan: {}, policy: {} },
    definition: { timeZone: 'Asia/Shanghai' },
  });
  const dataset = await catalog('dataset').where({ code: DATASET }).first();
  const contract = await catalog('contract').where({ dataset: DATASET }).first();
  // Each refers to the other.
  await catalog.transaction(async (transaction) => {
    for (let i = 1; i < DATASETS; i++) {
      await transaction('dataset').insert({ ...dataset, code: datasetOf(i) });
      await transaction('contract').insert({ ...contract, dataset: datasetOf(i) });
    }
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  const running = await world.catalog('run').where({ state: 'running' }).select<{ id: string }[]>('id');
  for (const { id: runId } of running) await failRun(world, { runId, code: 'CANCELLED', message: 'test' });
});

async function setLimits(limits: SourceDefinition['limits']): Promise<void> {
  const { definition } = await world.catalog('source').where({ code: 'health-db' }).first();
  await world.catalog('source').update({ definition: { ...definition, limits } });
}

async function begin(dataset = DATASET, now?: boolean): Promise<string> {
  const runId = randomUUID();
  await beginRun(world, { ...runRequest(runId), dataset, now });
  return runId;
}

const open = (runId: string) => openGeneration(world, { runId, trusted: true, quarantineKey: 'a2V5' });
const ask = (runId: string, asked = 0, now = noon): Promise<Admission> => admitRun(world, { runId, asked }, now);

test('a source without such limits is not asked about; with one, it is', async () => {
  await setLimits({ partitionsMax: 2 });
  expect(await beginRun(world, runRequest(randomUUID()))).not.toHaveProperty('limited');
  await setLimits({ connections: 2 });
  expect(await beginRun(world, runRequest(randomUUID()))).toHaveProperty('limited', true);
});

test('runs together hold no more connections than the source allows, and each at least two', async () => {
  const step = fc.record({ dataset: fc.nat(DATASETS - 1), what: fc.constantFrom('begin', 'ask', 'end') });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 9 }), fc.array(step, { maxLength: 14 }), async (max, steps) => {
      await setLimits({ connections: max });
      const runs = new Map<number, string>();
      for (const { dataset, what } of steps) {
        const run = runs.get(dataset);
        if (what === 'begin') runs.set(dataset, await begin(datasetOf(dataset)));
        else if (run === undefined) continue;
        else if (what === 'ask') await ask(run);
        else await failRun(world, { runId: run, code: 'CANCELLED', message: 'test' });
        const held = await world.catalog('run').where({ state: 'running' }).whereNotNull('connections');
        for (const { connections } of held) expect(connections).toBeGreaterThanOrEqual(2);
        expect(held.reduce((sum, { connections }) => sum + connections, 0)).toBeLessThanOrEqual(max);
      }
      // Whatever happened: once all others have ended, one that asks is admitted.
      for (const run of runs.values()) await failRun(world, { runId: run, code: 'CANCELLED', message: 'test' });
      expect(await ask(await begin())).toEqual({ admitted: true });
      await failRun(world, {
        runId: (await world.catalog('run').where({ state: 'running' }).first()).id,
        code: 'CANCELLED',
        message: 'test',
      });
    }),
    { numRuns: 12 },
  );
});

test('asked at the same time, two runs do not both get the last connections', async () => {
  await setLimits({ connections: 3 });
  const runs = await Promise.all([0, 1, 2, 3].map((i) => begin(datasetOf(i))));
  const answers = await Promise.all(runs.map((run) => ask(run)));
  expect(answers.filter(({ admitted }) => admitted)).toHaveLength(1);
});

test('what is granted reaches the worker; a repeated question is answered alike', async () => {
  await setLimits({ connections: 9, rowsPerSecond: 500, snapshotAgeMaxMs: 60_000, statementTimeoutSeconds: 30 });
  const run = await begin();
  expect(await ask(run)).toEqual({ admitted: true });
  expect(await ask(run, 1)).toEqual({ admitted: true });
  const { assignment } = await open(run);
  expect(assignment.source).toEqual({
    code: 'health-db',
    kind: 'postgres',
    connection: { host: 'db.health', password: 'env:HEALTH_PASSWORD', statementTimeoutMs: 30_000 },
    limits: { connections: 4, rowsPerSecond: 500, snapshotAgeMaxMs: 60_000 },
  });
});

test('a source with a limit of rows is read by one run at a time', async () => {
  await setLimits({ rowsPerSecond: 1_000 });
  const [first, second] = [await begin(), await begin(datasetOf(1))];
  expect(await ask(first)).toEqual({ admitted: true });
  expect(await ask(second, 0)).toEqual({
    admitted: false,
    waitingFor: 'connections',
    until: '2026-11-23T04:00:05.000Z',
  });
  expect(await ask(second, 20)).toMatchObject({ until: '2026-11-23T04:01:00.000Z' });
  expect((await getRun(world, second)).waiting).toEqual({
    for: 'connections',
    until: new Date('2026-11-23T04:01:00.000Z'),
  });
  await failRun(world, { runId: first, code: 'CANCELLED', message: 'test' });
  expect(await ask(second, 21)).toEqual({ admitted: true });
  expect((await getRun(world, second)).waiting).toBeNull();
});

test('outside its window a run waits; an engineer’s --now reads, and stands in the log', async () => {
  await setLimits({ windows: [{ notBefore: '20:00', notAfter: '06:00' }] });
  const leaves = async () =>
    (await world.catalog('audit_outbox'))
      .map(({ leaf }) => leaf)
      .filter(({ action }) => action === 'source.read-outside-window');
  const patient = await begin();
  expect(await ask(patient)).toEqual({ admitted: false, waitingFor: 'window', until: '2026-11-23T12:00:00.000Z' });
  expect((await getRun(world, patient)).waiting).toMatchObject({ for: 'window' });
  expect(await ask(patient, 0, new Date('2026-11-23T12:00:00.000Z'))).toEqual({ admitted: true });
  expect(await leaves()).toEqual([]);
  const hurried = await begin(datasetOf(1), true);
  expect(await ask(hurried)).toEqual({ admitted: true });
  expect((await getRun(world, hurried)).now).toBe(true);
  expect(await leaves()).toMatchObject([
    { actor: 'token:engineer', object: 'source/health-db', onBehalfOf: 'health', run: hurried, decision: 'allow' },
  ]);
  // Within the window it sets nothing aside.
  expect(await ask(await begin(datasetOf(2), true), 0, new Date('2026-11-23T13:00:00.000Z'))).toEqual({
    admitted: true,
  });
  expect(await leaves()).toHaveLength(1);
});
