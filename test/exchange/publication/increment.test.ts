import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import { getRun } from '../../../exchange/publication/runs.ts';
import { readStaged } from '../../../exchange/publication/staging.ts';
import { resolveVersion } from '../../../exchange/publication/versions.ts';
import { readWhole } from '../../../exchange/store/read-whole.ts';
import type { ReportedIncrement, RunReport } from '../../../schemas/generated/run-report.ts';
import { DATASET, makeReport, type OpenRun, openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ mode: { kind: 'upsert', cursor: 'changed', buckets: 4 } });
});
afterEach(() => world.close());

const changes = { inserted: 0, updated: 0, unchanged: 0, deleted: 0, vanished: 0, superseded: 0, stale: 0 };
const buckets = { count: 4, key: ['id'], hash: 'fnv-murmur/1' };

/** Buckets by their text and rows; a text that was staged before is not staged again. */
async function reportOf(
  run: OpenRun,
  parts: [bucket: number, text: string, rows: number][],
  increment: Partial<ReportedIncrement>,
  lies: Partial<RunReport> = {},
): Promise<string> {
  const staged = await Promise.all(
    parts.map(async ([bucket, text, rows]) => ({ ...(await world.stage(run, 'part', text)), rows, bucket })),
  );
  const counts = { ...changes, ...increment.changes };
  const accepted = counts.inserted + counts.updated + counts.unchanged + counts.deleted;
  const report = {
    ...makeReport(run, staged),
    rowsRead: accepted,
    rowsPublished: accepted,
    incremental: { mode: 'upsert', full: false, buckets, position: '7', ...increment, changes: counts },
    ...lies,
  };
  return (await world.stage(run, 'report', JSON.stringify(report))).digest;
}

async function publishFirst(): Promise<OpenRun> {
  const run = await world.begin();
  const parts: [number, string, number][] = [
    [0, 'zero', 30],
    [2, 'two', 20],
  ];
  const reportDigest = await reportOf(run, parts, { full: true, changes: { ...changes, inserted: 50 } });
  expect(await commitRun(world, { ...run, reportDigest })).toMatchObject({ outcome: 'published', version: 1 });
  return run;
}

describe('an increment', () => {
  it('is assigned what it builds on, and may read that and nothing else', async () => {
    await publishFirst();
    const stranger = await world.begin();
    const { digest: lost } = await world.stage(stranger, 'part', 'of another run');
    const run = await world.begin();
    const { assignment, generation } = await openGeneration(world, { ...run, trusted: true, quarantineKey: 'a2V5' });
    const { manifestDigest: manifest } = await resolveVersion(world, DATASET, 'current');
    expect(assignment.incremental).toMatchObject({ full: false, position: '7', base: { version: 1, manifest } });
    const read = async (digest: string, range?: { offset: number; length: number }) =>
      (await readWhole(await readStaged(world, { runId: run.runId, generation, digest, range }))).toString();
    const { segments } = JSON.parse(await read(manifest));
    expect(await read(segments[0].parts[1].digest)).toBe('two');
    expect(await read(segments[0].parts[0].digest, { offset: 1, length: 2 })).toBe('er');
    await expect(read(lost)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('keeps its state with the version, also where it found nothing new; a rejected one does not', async () => {
    const first = await publishFirst();
    expect(await world.catalog('extraction_state').first()).toMatchObject({
      run: first.runId,
      version: 1,
      position: '7',
    });
    const again = await world.begin();
    const same: [number, string, number][] = [
      [0, 'zero', 30],
      [2, 'two', 20],
    ];
    const nothing = await reportOf(again, same, { base: 1, position: '9' });
    expect(await commitRun(world, { ...again, reportDigest: nothing })).toMatchObject({ outcome: 'unchanged' });
    expect(await world.catalog('extraction_state').first()).toMatchObject({ run: again.runId, position: '9' });
    const emptied = await world.begin();
    const vanished = { ...changes, vanished: 50 };
    const reportDigest = await reportOf(emptied, [], { base: 1, full: true, position: '12', changes: vanished });
    expect(await commitRun(world, { ...emptied, reportDigest })).toMatchObject({ code: 'PUBLISH_GUARD' });
    expect(await getRun(world, emptied.runId)).toMatchObject({ state: 'rejected', position: null });
    expect(await world.catalog('extraction_state').first()).toMatchObject({ position: '9' });
  });

  it('is refused where its counts, buckets or base contradict what there was', async () => {
    await publishFirst();
    const updated = { ...changes, updated: 1 };
    const good: [number, string, number][] = [
      [0, 'zero changed', 30],
      [2, 'two', 20],
    ];
    const lies: [Parameters<typeof reportOf>[1], Partial<ReportedIncrement>, RegExp][] = [
      [good, { base: 1, changes: { ...changes, inserted: 1 } }, /lead to 51 rows/],
      [good, { base: undefined, changes: updated }, /lead to 0 rows/],
      [[good[1]!, good[0]!], { base: 1, changes: updated }, /in their order/],
      [good, { base: 1, changes: updated, buckets: undefined }, /either buckets or segments/],
      [good, { base: 1, changes: updated, buckets: undefined, segmentsKept: 2 }, /more than the base has/],
    ];
    for (const [parts, increment, message] of lies) {
      const run = await world.begin();
      const reportDigest = await reportOf(run, parts, increment);
      const refused = commitRun(world, { ...run, reportDigest });
      await expect(refused).rejects.toMatchObject({ code: 'REPORT_INVALID', message: expect.stringMatching(message) });
    }
    const run = await world.begin();
    const reportDigest = await reportOf(run, good, { base: 1, changes: updated });
    expect(await commitRun(world, { ...run, reportDigest })).toMatchObject({
      outcome: 'published',
      version: 2,
      rows: 1,
    });
  });

  it('is refused where the dataset is a snapshot', async () => {
    await world.catalog('dataset').update({ definition: world.catalog.raw(`definition - 'mode'`) });
    const run = await world.begin();
    const inserted = { ...changes, inserted: 5 };
    const reportDigest = await reportOf(run, [[0, 'zero', 5]], { full: true, changes: inserted });
    const refused = commitRun(world, { ...run, reportDigest });
    await expect(refused).rejects.toMatchObject({
      code: 'REPORT_INVALID',
      message: expect.stringContaining('snapshot'),
    });
  });
});
