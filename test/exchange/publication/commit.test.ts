import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Catalog } from '../../../catalog/database.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import { listLineage } from '../../../exchange/publication/lineage.ts';
import { failRun, getRun } from '../../../exchange/publication/runs.ts';
import { listVersions, readManifest, resolveVersion } from '../../../exchange/publication/versions.ts';
import { toHuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { AuditLeaf } from '../../../schemas/generated/audit-leaf.ts';
import { until } from '../../support/until.ts';
import { DATASET, openWorld, stageReport, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

async function leaves(): Promise<AuditLeaf[]> {
  const rows = await world.catalog('audit_outbox').orderBy('id').select<{ leaf: AuditLeaf }[]>('leaf');
  return rows.map((row) => row.leaf);
}

async function versions(): Promise<number[]> {
  return (await listVersions(world, { dataset: DATASET })).items.map((version) => version.number);
}

describe('a commit', () => {
  it('publishes a version with its manifest, lineage, quarantine and audit leaf', async () => {
    await expect(resolveVersion(world, DATASET, 'current')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const outcome = await world.publish(
      [
        ['one', 60],
        ['two', 30],
      ],
      { quarantine: [['bad', 10]] },
    );
    expect(outcome).toEqual({ outcome: 'published', version: 1, rows: 90, rowsQuarantined: 10 });

    const version = await resolveVersion(world, DATASET, 'current');
    expect(version).toMatchObject({ number: 1, rows: 90, rowsRead: 100, rowsQuarantined: 10, parts: 2 });
    const manifest = await readManifest(world, version);
    expect(manifest).toMatchObject({ dataset: DATASET, version: 1, rows: 90, contract: { version: '1.0.0' } });
    expect(manifest.segments[0].parts.map((part) => part.rows)).toEqual([60, 30]);
    expect(
      (await listLineage(world, DATASET)).map((edge) => `${edge.sourceTable}.${edge.sourceColumn}>${edge.item}`),
    ).toEqual(['public.vaccination.id>id', 'public.vaccination.姓名>姓名']);
    expect(await world.catalog('quarantine_part').where({ run: version.run }).select('rows')).toEqual([{ rows: 10 }]);
    expect(await leaves()).toMatchObject([
      {
        actor: 'token:engineer',
        action: 'dataset.publish',
        object: `dataset/${DATASET}/version/1`,
        decision: 'allow',
        versionDigest: version.manifestDigest,
        rows: 90,
      },
    ]);
    expect(await getRun(world, version.run)).toMatchObject({
      state: 'published',
      account: { rowsRead: 100, rowsPublished: 90, rowsQuarantined: 10 },
      quarantinedByCode: { PATTERN: 10 },
    });
  });

  it('of the same parts publishes nothing new and says so; of others it does, and lineage is not repeated', async () => {
    await world.publish([
      ['one', 60],
      ['two', 40],
    ]);
    expect(
      await world.publish([
        ['one', 60],
        ['two', 40],
      ]),
    ).toMatchObject({ outcome: 'unchanged', version: 1 });
    expect(
      await world.publish([
        ['two', 40],
        ['one', 60],
      ]),
    ).toMatchObject({ outcome: 'published', version: 2 });
    expect(await versions()).toEqual([2, 1]);
    expect((await listLineage(world, DATASET)).map((edge) => edge.sinceVersion)).toEqual([1, 1]);
    expect((await leaves()).map((leaf) => leaf.action)).toEqual([
      'dataset.publish',
      'dataset.unchanged',
      'dataset.publish',
    ]);
  });

  it('publishes a table without rows, with its schema', async () => {
    expect(await world.publish([])).toEqual({ outcome: 'published', version: 1, rows: 0, rowsQuarantined: 0 });
    expect(await world.publish([])).toMatchObject({ outcome: 'unchanged', version: 1 });
  });

  it('gives the same answer when it is repeated, also after a newer run began', async () => {
    const run = await world.begin();
    const request = { ...run, reportDigest: await stageReport(world.stage, run, [['one', 1]]) };
    const outcome = await commitRun(world, request);
    expect(await commitRun(world, request)).toEqual(outcome);
    await world.begin();
    expect(await commitRun(world, request)).toEqual(outcome);
    expect(await versions()).toEqual([1]);
    expect(await leaves()).toHaveLength(1);
  });

  it('delivered many times at once gives one version (FAULTS 4)', async () => {
    const run = await world.begin();
    const request = { ...run, reportDigest: await stageReport(world.stage, run, [['one', 1]]) };
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => commitRun(world, request)));
    expect(outcomes).toEqual(Array(6).fill({ outcome: 'published', version: 1, rows: 1, rowsQuarantined: 0 }));
    expect(await versions()).toEqual([1]);
    expect(await leaves()).toHaveLength(1);
  });
});

describe('a zombie (FAULTS 5)', () => {
  it('of an older run is FENCED, and the refusal is in the log', async () => {
    const zombie = await world.begin();
    const reportDigest = await stageReport(world.stage, zombie, [['old', 1]]);
    expect(await world.publish([['new', 2]])).toMatchObject({ version: 1 });
    await expect(commitRun(world, { ...zombie, reportDigest })).rejects.toMatchObject({ code: 'FENCED' });
    expect(await versions()).toEqual([1]);
    expect((await leaves()).at(-1)).toMatchObject({ decision: 'deny', rule: 'FENCED', run: zombie.runId });
  });

  it('is FENCED by the dataset’s epoch alone, also where its run was not ended', async () => {
    const run = await world.begin();
    const reportDigest = await stageReport(world.stage, run, [['one', 1]]);
    for (const step of [1, -2]) {
      await world.catalog('dataset').increment('epoch', step);
      await expect(commitRun(world, { ...run, reportDigest })).rejects.toMatchObject({ code: 'FENCED' });
      expect(await versions()).toEqual([]);
    }
    await world.catalog('dataset').increment('epoch', 1);
    expect(await commitRun(world, { ...run, reportDigest })).toMatchObject({ outcome: 'published', version: 1 });
  });

  it('of an older generation is FENCED, and the newer one commits', async () => {
    const older = await world.begin();
    const reportDigest = await stageReport(world.stage, older, [['old', 1]]);
    const { generation } = await openGeneration(world, { runId: older.runId, trusted: true, quarantineKey: 'a2V5' });
    await expect(commitRun(world, { ...older, reportDigest })).rejects.toMatchObject({ code: 'FENCED' });
    const newer = { ...older, generation };
    const again = await stageReport(world.stage, newer, [['new', 1]]);
    expect(await commitRun(world, { ...newer, reportDigest: again })).toMatchObject({ outcome: 'published' });
  });

  it('of a cancelled run is FENCED', async () => {
    const run = await world.begin();
    const reportDigest = await stageReport(world.stage, run, [['one', 1]]);
    await failRun(world, { runId: run.runId, code: 'CANCELLED', message: 'by the engineer' });
    await expect(commitRun(world, { ...run, reportDigest })).rejects.toMatchObject({ code: 'FENCED' });
    expect(await versions()).toEqual([]);
  });

  it('racing a newer run never wins after it: one order of epochs, no deadlock', async () => {
    await world.publish([['base', 1]]);
    for (let round = 0; round < 5; round++) {
      const run = await world.begin();
      const reportDigest = await stageReport(world.stage, run, [[`round ${round}`, 1]]);
      const [older] = await Promise.allSettled([commitRun(world, { ...run, reportDigest }), world.begin()]);
      const { state } = await getRun(world, run.runId);
      expect(state).toBe(older.status === 'fulfilled' ? 'published' : 'failed');
    }
    const runs = await world.catalog('version').count({ n: '*' });
    expect(await world.catalog('run').where({ state: 'published' }).count({ n: '*' })).toEqual(runs);
  });
});

describe('a report', () => {
  it('is refused where it contradicts itself or what was staged, and nothing is published', async () => {
    const lies = [
      { rowsRead: 2 },
      { rowsPublished: 2 },
      { generation: 7 },
      { dataset: 'health.other' },
      { contractVersion: '2.0.0' },
      { quarantinedByCode: { PATTERN: 1 } },
      { parts: [{ digest: 'f'.repeat(64), sizeBytes: 3, rows: 1 }] },
      { unknown: true },
    ];
    for (const lie of lies) {
      const run = await world.begin();
      const reportDigest = await stageReport(world.stage, run, [['one', 1]], [], lie);
      await expect(commitRun(world, { ...run, reportDigest }), JSON.stringify(lie)).rejects.toMatchObject({
        code: 'REPORT_INVALID',
      });
    }
    expect(await versions()).toEqual([]);
    expect(await world.publish([['one', 1]])).toMatchObject({ outcome: 'published' });
  });

  it('may name a part of the current version, and none that only another run staged', async () => {
    await world.publish([['one', 1]]);
    const part = (await readManifest(world, await resolveVersion(world, DATASET, 'current'))).segments[0].parts[0];
    const stray = await world.begin();
    const { digest, sizeBytes } = await world.stage(stray, 'part', 'stray');

    const run = await world.begin();
    const parts = [part, { digest, sizeBytes, rows: 1 }];
    const lie = { parts, rowsRead: 2, rowsPublished: 2 };
    const refused = await stageReport(world.stage, run, [], [], lie);
    await expect(commitRun(world, { ...run, reportDigest: refused })).rejects.toMatchObject({ code: 'REPORT_INVALID' });
    await world.stage(run, 'part', 'stray');
    expect(await commitRun(world, { ...run, reportDigest: refused })).toMatchObject({ outcome: 'published', rows: 2 });
  });

  it('whose rows differ from the source’s own count is a reconciliation mismatch', async () => {
    const run = await world.begin();
    const wrong = await stageReport(world.stage, run, [['one', 1]], [], { controlTotals: { rows: 2, sums: {} } });
    await expect(commitRun(world, { ...run, reportDigest: wrong })).rejects.toMatchObject({
      code: 'RECONCILIATION_MISMATCH',
    });
    const sums = { sums: { id: '5' }, controlTotals: { rows: 1, sums: { id: '6' } } };
    const off = await stageReport(world.stage, run, [['one', 1]], [], sums);
    await expect(commitRun(world, { ...run, reportDigest: off })).rejects.toMatchObject({
      code: 'RECONCILIATION_MISMATCH',
    });
    const right = { sums: { id: '5' }, controlTotals: { rows: 1, sums: { id: '5.0' } } };
    const good = await stageReport(world.stage, run, [['one', 1]], [], right);
    expect(await commitRun(world, { ...run, reportDigest: good })).toMatchObject({ outcome: 'published' });
  });

  it('of a worker that is not the exchange’s own waits for the second contract check', async () => {
    const run = await world.begin({ trusted: false });
    const reportDigest = await stageReport(world.stage, run, [['one', 1]]);
    await expect(commitRun(world, { ...run, reportDigest })).rejects.toMatchObject({ code: 'CONTRACT_RECHECK_FAILED' });
  });
});

describe('a rejected run', () => {
  it('above the tolerance publishes nothing, keeps its quarantine, and the version before stands', async () => {
    await world.publish([['one', 100]]);
    const outcome = await world.publish([['two', 49]], { quarantine: [['bad', 51]], confirm: true });
    expect(outcome).toMatchObject({ outcome: 'rejected', code: 'TOLERANCE_EXCEEDED', rowsQuarantined: 51 });
    expect(await resolveVersion(world, DATASET, 'current')).toMatchObject({ number: 1 });
    expect(await world.catalog('quarantine_part').sum({ rows: 'rows' })).toEqual([{ rows: '51' }]);
    expect((await leaves()).at(-1)).toMatchObject({ decision: 'deny', rule: 'TOLERANCE_EXCEEDED' });
    const allowed = await world.publish([['three', 50]], { quarantine: [['bad', 50]], confirm: true });
    expect(allowed).toMatchObject({ outcome: 'published', version: 2 });
  });

  it('by the publish guard is published once it is confirmed', async () => {
    await world.publish([['one', 100]]);
    expect(await world.publish([['two', 50]])).toMatchObject({ outcome: 'rejected', code: 'PUBLISH_GUARD' });
    expect(await world.publish([])).toMatchObject({ outcome: 'rejected', code: 'PUBLISH_GUARD' });
    expect(await world.publish([['two', 51]])).toMatchObject({ outcome: 'published', version: 2 });
    expect(await world.publish([], { confirm: true })).toMatchObject({ outcome: 'published', version: 3, rows: 0 });
  });
});

describe('a catalog whose disk is full (FAULTS 15)', () => {
  it('publishes nothing and says DISK_FULL, which is retriable; the same commit goes through once there is room', async () => {
    await world.publish([['base', 1]]);
    const run = await world.begin();
    const reportDigest = await stageReport(world.stage, run, [['next', 1]]);
    for (const table of ['version', 'staged_object', 'audit_outbox', 'run']) {
      // As PostgreSQL says it where a file cannot grow (src/backend/storage/smgr/md.c).
      await world.catalog.raw(`
        create function no_space() returns trigger language plpgsql as $$
          begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
        create trigger no_space before insert or update on ${table} for each statement execute function no_space()`);
      const activity = commitRun(world, { ...run, reportDigest }).catch((e: unknown) => toHuitongError(e));
      expect(await activity, table).toMatchObject({ code: 'DISK_FULL', recovery: 'retriable' });
      await world.catalog.raw('drop function no_space cascade');
      expect(await versions()).toEqual([1]);
      expect(await leaves()).toHaveLength(1);
    }
    expect(await commitRun(world, { ...run, reportDigest })).toMatchObject({ outcome: 'published', version: 2 });
    expect(await leaves()).toHaveLength(2);
  });
});

describe('PostgreSQL lost during the commit (FAULTS 7)', () => {
  it('publishes once or never, wherever the connection is cut', async () => {
    await world.publish([['base', 1]]);
    const killer = new pg.Client(world.url);
    await killer.connect();
    for (const delayMs of [0, 2, 5, 10, 20, 40]) {
      const run = await world.begin();
      const reportDigest = await stageReport(world.stage, run, [[`cut after ${delayMs} ms`, 1]]);
      const committing = commitRun(world, { ...run, reportDigest });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await killer.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      expect(await committing, `cut after ${delayMs} ms`).toMatchObject({ outcome: 'published' });
      await replaceCutConnections(world.catalog);
    }
    await killer.end();
    expect(await versions()).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await leaves()).toHaveLength(7);
  });

  it('finds its version where only the acknowledgement was lost', async () => {
    const run = await world.begin();
    const reportDigest = await stageReport(world.stage, run, [['one', 1]]);
    // The trigger waits at commit, so that the connection dies when PostgreSQL is already committing.
    await world.catalog.raw(`
      create function wait_a_little() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$;
      create constraint trigger wait_a_little after insert on version deferrable initially deferred
        for each row execute function wait_a_little()`);
    const committing = commitRun(world, { ...run, reportDigest });
    const client = await world.catalog.client.pool;
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const { resource } of client.used) resource.connection.stream.destroy();
    expect(await committing).toMatchObject({ outcome: 'published', version: 1 });
    expect(await versions()).toEqual([1]);
    expect(await leaves()).toHaveLength(1);
  });
});

/** The pool's idle connections were cut too: what the test itself does next must not be given one of them. */
function replaceCutConnections(catalog: Catalog): Promise<void> {
  const each = Array.from({ length: limits.catalogConnectionsMax });
  const work = () => Promise.all(each.map(() => catalog.raw('select pg_sleep(0.01)')));
  return until('a pool of new connections', () =>
    work().then(
      () => true,
      () => false,
    ),
  ).then(() => {});
}
