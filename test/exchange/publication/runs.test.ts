import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import { beginRun, failRun, getRun, listRuns } from '../../../exchange/publication/runs.ts';
import { readStaged } from '../../../exchange/publication/staging.ts';
import { arrowSchema, DATASET, openWorld, runRequest, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ partitions: 4, columns: ['id', '姓名'] });
});
afterAll(() => world.close());

const open = (runId: string, attempt?: number) =>
  openGeneration(world, { runId, trusted: true, quarantineKey: 'a2V5', attempt });

describe('a run', () => {
  it('raises the epoch once, however often it is begun', async () => {
    const runId = randomUUID();
    const first = await beginRun(world, runRequest(runId));
    expect(first).toMatchObject({ runId, queue: 'source-health' });
    expect(await beginRun(world, runRequest(runId))).toEqual(first);
    const second = await beginRun(world, runRequest(randomUUID()));
    expect(second.epoch).toBe(first.epoch + 1);
  });

  it('ends the one before it as FENCED, and its generation cannot be raised again', async () => {
    const [older, newer] = [randomUUID(), randomUUID()];
    await beginRun(world, runRequest(older));
    expect(await open(older)).toMatchObject({ generation: 1 });
    await beginRun(world, runRequest(newer));
    await expect(open(older)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await getRun(world, older)).toMatchObject({ state: 'failed', failure: { code: 'FENCED' } });
    expect(await open(newer)).toMatchObject({ generation: 1 });
  });

  it('tells a worker all that it needs to know, and no secret', async () => {
    const { runId } = await world.begin();
    const { generation, assignment } = await open(runId);
    expect(generation).toBe(2);
    expect(assignment).toMatchObject({
      runId,
      generation: 2,
      dataset: DATASET,
      department: 'health',
      source: { code: 'health-db', kind: 'postgres', connection: { password: 'env:HEALTH_PASSWORD' } },
      table: { schema: 'public', name: 'vaccination' },
      columns: ['id', '姓名'],
      contract: { version: '1.0.0', key: ['id'] },
      plan: { partitions: 4, controlTotals: true },
      quarantineKey: 'a2V5',
    });
  });

  it('is not found for another dataset, or under an id that was never given', async () => {
    const unknown = { ...runRequest(randomUUID()), dataset: 'health.nothing' };
    await expect(beginRun(world, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(getRun(world, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(getRun(world, 'not a uuid')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('fails once: what ended stays as it ended', async () => {
    const { runId } = await world.begin();
    const failed = await failRun(world, { runId, code: 'CANCELLED', message: 'by the engineer' });
    expect(failed).toMatchObject({ state: 'cancelled', failure: { code: 'CANCELLED', message: 'by the engineer' } });
    expect(await failRun(world, { runId, code: 'SOURCE_AUTH', message: 'later' })).toEqual(failed);
    await expect(open(runId)).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('is listed newest first, page by page, each once', async () => {
    for (let i = 0; i < 5; i++) await world.begin();
    const all = await listRuns(world, { dataset: DATASET });
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listRuns(world, { dataset: DATASET, limit: 2, cursor });
      paged.push(...page.items.map((run) => run.id));
      cursor = page.next;
    } while (cursor);
    expect(paged.length).toBeGreaterThanOrEqual(5);
    expect(paged).toEqual(all.items.map((run) => run.id));
    expect((await listRuns(world, { state: 'running' })).items).toHaveLength(1);
    expect((await listRuns(world, { department: 'police' })).items).toEqual([]);
    const forged = Buffer.from('["2026-01-01T00:00:00.000Z","x"]').toString('base64url');
    await expect(listRuns(world, { cursor: forged })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

describe('a generation', () => {
  it('stages objects and reads back its own, until a newer one fences it', async () => {
    const older = await world.begin();
    const part = await world.stage(older, 'part', arrowSchema);
    expect((await buffer(await readStaged(world, { ...older, digest: part.digest }))).toString()).toBe(arrowSchema);
    await open(older.runId);
    await expect(world.stage(older, 'part', 'more')).rejects.toMatchObject({ code: 'FENCED' });
    await expect(readStaged(world, { ...older, digest: part.digest })).rejects.toMatchObject({ code: 'FENCED' });
    const newer = { ...older, generation: older.generation + 1 };
    await expect(readStaged(world, { ...newer, digest: part.digest })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await world.stage(newer, 'part', arrowSchema)).toEqual(part);
  });

  it('is opened by the newest attempt; one that was given up and comes late opens none (FAULTS 6)', async () => {
    const { runId } = await world.begin();
    const newest = await open(runId, 3);
    await expect(open(runId, 2)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await world.stage({ runId, generation: newest.generation }, 'part', arrowSchema)).toBeDefined();
    // Asked again because the answer was lost.
    expect((await open(runId, 3)).generation).toBe(newest.generation + 1);
    expect((await open(runId, 4)).generation).toBe(newest.generation + 2);
  });
});
