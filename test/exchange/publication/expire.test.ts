/** Versions whose retention is over: which expire, what stays of them, and that exactly what nothing living needs goes. */
import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../../exchange/publication/collect.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { type ExpireVersions, expireVersions } from '../../../exchange/publication/expire.ts';
import { acquireLease, releaseLease } from '../../../exchange/publication/leases.ts';
import { partsOf, readManifestObject } from '../../../exchange/publication/manifest.ts';
import { readableVersion } from '../../../exchange/publication/recalls.ts';
import { expiryRuleOf, retentionOf } from '../../../exchange/publication/retention.ts';
import { listVersions, readManifest, resolveVersion } from '../../../exchange/publication/versions.ts';
import type { AuditLeaf } from '../../../schemas/generated/audit-leaf.ts';
import type { Manifest } from '../../../schemas/generated/manifest.ts';
import { DATASET, makeReport, openWorld, type World } from './world.ts';

const DAY = 24 * 60 * 60 * 1000;
const retention = { versionsMin: 2, versionDays: 10 };

let world: World;
beforeAll(async () => {
  world = await openWorld({ retention });
});
afterAll(() => world.close());
beforeEach(reset);

/** What refers to others comes before them. */
const OF_VERSIONS = [
  ...['extraction_state', 'version_hold', 'lookup_index', 'projection', 'lease', 'correction', 'duty_case'],
  ...['staged_object', 'lineage_edge', 'version', 'run', 'audit_outbox'],
];

/** As it was before the first publication, but for the definition. */
async function reset(): Promise<void> {
  await world.catalog('dataset').update({ current_version: null, epoch: 0 });
  await world.catalog('run').update({ version: null });
  for (const table of OF_VERSIONS) await world.catalog(table).delete();
  await rm(join(world.directory, 'objects'), { recursive: true, force: true });
}

const epoch = Date.parse('2030-01-01T00:00:00Z');
const day = (n: number) => new Date(epoch + n * DAY);
const exists = async (digest: string) => (await world.store.stat(digest)) !== undefined;
const expire = (now: Date, options: ExpireVersions = {}) => expireVersions(world, { now, graceMs: 0, ...options });

/** Version n of one part of its own, published on day n. */
async function publishDays(count: number): Promise<string[]> {
  const digests: string[] = [];
  for (let n = 1; n <= count; n++) {
    await world.publish([[`only of ${n}`, 1]]);
    await world
      .catalog('version')
      .where({ number: n })
      .update({ published_at: day(n) });
    digests.push(partsOf(await readManifest(world, await resolveVersion(world, DATASET, n)))[0]!.digest);
  }
  return digests;
}

async function living(): Promise<number[]> {
  return world.catalog('version').whereNull('expired_at').orderBy('number').pluck('number');
}

describe('a version expires', () => {
  it('once it has been superseded for its days, and never one of the newest; its row and its leaf tell by which rule', async () => {
    const digests = await publishDays(4);
    // Version 1 was superseded on day 2.
    expect(await expire(new Date(day(12).getTime() - 1))).toEqual({ expired: 0, failed: [] });
    expect(await expire(day(12))).toEqual({ expired: 1, failed: [] });
    expect(await living()).toEqual([2, 3, 4]);
    const { run: _, ...told } = await resolveVersion(world, DATASET, 1);
    expect(told).toMatchObject({ number: 1, rows: 1, parts: 1, expired: { at: day(12), by: retention } });
    await world
      .catalog('audit_outbox')
      .select<{ leaf: AuditLeaf }[]>('leaf')
      .then((rows) => {
        expect(rows.map(({ leaf }) => leaf).filter(({ action }) => action === 'version.expire')).toMatchObject([
          {
            ...{ actor: 'system:retention', object: `dataset/${DATASET}/version/1`, decision: 'allow' },
            ...{ versionDigest: told.manifestDigest, onBehalfOf: 'health' },
            detail: { ...retention, supersededAt: day(2).toISOString() },
          },
        ]);
      });
    expect(await expire(day(1000))).toEqual({ expired: 1, failed: [] });
    expect(await living()).toEqual([3, 4]);
    await collect(world, 0);
    expect(await Promise.all(digests.map(exists))).toEqual([false, false, true, true]);
    expect((await listVersions(world, { dataset: DATASET })).items.map(({ expired }) => expired?.at ?? null)).toEqual([
      ...[null, null, day(1000), day(12)],
    ]);
  });

  it('and is refused as VERSION_EXPIRED; its manifest is not looked for', async () => {
    await publishDays(3);
    const version = await readableVersion(world, DATASET, 1);
    await expire(day(100));
    await expect(readableVersion(world, DATASET, 1)).rejects.toMatchObject({ code: 'VERSION_EXPIRED' });
    expect((await readableVersion(world, DATASET, 'current')).number).toBe(3);
    const expired = await resolveVersion(world, DATASET, 1);
    await expect(readManifest(world, expired)).rejects.toMatchObject({ code: 'VERSION_EXPIRED' });
    // Who found it readable a moment ago is not hurt before it is collected.
    await readManifest(world, version);
  });

  it('and its objects stay for the grace time', async () => {
    const [digest] = await publishDays(3);
    await expire(day(100), { graceMs: DAY });
    await collect(world, 0);
    expect(await exists(digest!)).toBe(true);
    await world.catalog('lease').update({ expires_at: new Date(0) });
    await collect(world, 0);
    expect(await exists(digest!)).toBe(false);
  });

  it('with what was made from it: projections, renditions and the index of look-ups', async () => {
    await publishDays(3);
    const { manifestDigest } = await resolveVersion(world, DATASET, 1);
    const made: string[] = [];
    for (const text of ['projected', 'slots', 'records']) {
      made.push((await world.store.put(bytes(text))).digest);
    }
    const [projected, slots, records] = made;
    const projection = {
      key: 'a'.repeat(64),
      manifest_digest: manifestDigest,
      format: 'parquet',
      arrow_schema: '',
      rows: 1,
    };
    await world.catalog('projection').insert(projection);
    await world.catalog('projection_part').insert({
      ...{ projection: projection.key, position: 0, digest: projected, size_bytes: 9, rows: 1 },
    });
    await world.catalog('lookup_index').insert({
      ...{ dataset: DATASET, version: 1, keyed_by: 'b'.repeat(64), key_columns: ['id'], salt: 0, rows: 1 },
      ...{ slots_digest: slots, slots_bytes: 5, records_digest: records, records_bytes: 7 },
    });
    await collect(world, 0);
    expect(await Promise.all(made.map(exists))).toEqual([true, true, true]);
    await expire(day(100));
    // Made by a reader that was at it meanwhile.
    await world.catalog('projection').insert({ ...projection, key: 'c'.repeat(64) });
    await collect(world, 0);
    expect(await Promise.all(made.map(exists))).toEqual([false, false, false]);
    expect(await world.catalog('projection').select('key')).toEqual([]);
  });

  it('tells before when it may', async () => {
    await publishDays(4);
    const rule = expiryRuleOf(await definition());
    const { items } = await listVersions(world, { dataset: DATASET });
    expect(items.map((version) => retentionOf(version, rule, 4).expiresAt)).toEqual([null, null, day(13), day(12)]);
    expect(expiryRuleOf({ ...(await definition()), retention: undefined })).toEqual({
      versionsMin: 2,
      versionDays: 365,
    });
  });

  it('unless its manifest is gone: that is told, and the others expire', async () => {
    await publishDays(5);
    const { manifestDigest } = await resolveVersion(world, DATASET, 1);
    await world.store.remove(manifestDigest);
    const { expired, failed } = await expire(day(100));
    // Version 2 has version 1 beside it, which cannot be read: what both have is not known.
    expect([expired, failed.map(({ version }) => version)]).toEqual([1, [1, 2]]);
    expect(failed[0]!.error).toMatchObject({ code: 'OBJECT_MISSING' });
    expect(await living()).toEqual([1, 2, 4, 5]);
  });
});

describe('a version does not expire', () => {
  const insertCase = async (version: number | null, state: string, fixed?: number) => {
    const id = randomUUID();
    await world.catalog('duty_case').insert({
      ...{ id, kind: 'correction', cause: `correction/${id}`, department: 'x', provider: 'health', supervisor: 'x' },
      ...{ dataset: DATASET, version, state, claimants: ['x'], created_at: day(1), updated_at: day(1) },
    });
    if (fixed === undefined) return;
    await world.catalog('correction').insert({
      ...{ case: id, item: 'id', key_hash: `hmac-sha256:${'0'.repeat(64)}`, claim: Buffer.from('x') },
      ...{ checked_version: 1, fixed_version: fixed },
    });
  };
  const cases: [name: string, keep: () => Promise<unknown>, end: () => Promise<unknown>][] = [
    [
      'while somebody holds it',
      () =>
        world.catalog('version_hold').insert({
          ...{ dataset: DATASET, version: 1, until: day(500), reason: '诉讼', actor: 'token:x', placed_at: day(1) },
        }),
      async () => {
        expect((await resolveVersion(world, DATASET, 1)).hold).toEqual({ until: day(500), reason: '诉讼' });
        await world.catalog('version_hold').delete();
      },
    ],
    [
      'while an open case names it (a recall’s confirmation, a rating, what a correction says is wrong)',
      () => insertCase(1, 'CONFIRMATION_DUE'),
      () => world.catalog('duty_case').update({ state: 'CONFIRMED' }),
    ],
    [
      'while it is the version in which an open correction was mended',
      () => insertCase(null, 'FIXED_IN', 1),
      () => world.catalog('duty_case').update({ state: 'CONSUMERS_NOTIFIED' }),
    ],
    [
      'while a run that goes on builds on it',
      () => world.begin().then(({ runId }) => world.catalog('run').where({ id: runId }).update({ base_version: 1 })),
      () =>
        world
          .catalog('run')
          .where({ state: 'running' })
          .update({ state: 'failed', ended_at: day(3) }),
    ],
    [
      'while the next increment starts from it',
      async () => {
        const [run] = await world.catalog('run').select('id').limit(1);
        await world.catalog('extraction_state').insert({ dataset: DATASET, run: run.id, version: 1, basis: 'x' });
      },
      () => world.catalog('extraction_state').delete(),
    ],
    [
      'while a reader has leased what it is made of',
      async () => {
        const { manifestDigest } = await resolveVersion(world, DATASET, 1);
        await acquireLease(world, { digests: [manifestDigest], holder: 'server:test' });
      },
      () => world.catalog('lease').delete(),
    ],
  ];
  it.each(cases)('%s', async (_, keep, end) => {
    await publishDays(4);
    await keep();
    await expire(day(100));
    expect(await living()).toEqual([1, 3, 4]);
    await end();
    await expire(day(100));
    expect(await living()).toEqual([3, 4]);
  });
});

async function definition() {
  const row = await world.catalog('dataset').first('definition');
  return row.definition;
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A bucket's content; equal numbers are equal parts. A number also says how many rows it has. */
type Buckets = number[];

type Step =
  | { do: 'publish'; how: 'snapshot' | 'upsert' | 'append' | 'compact'; buckets: Buckets; days: number }
  | { do: 'hold' | 'release' | 'lease' | 'unlease'; version: number }
  | { do: 'expire' | 'collect'; days: number };

const buckets = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 3 });
const days = fc.integer({ min: 0, max: 12 });
const publishing = fc.record<Extract<Step, { do: 'publish' }>>({
  do: fc.constant('publish'),
  how: fc.constantFrom('snapshot', 'upsert', 'upsert', 'append', 'append', 'compact'),
  ...{ buckets, days },
});
const passing = fc.record<Extract<Step, { do: 'expire' | 'collect' }>>({
  do: fc.constantFrom('expire', 'collect'),
  days,
});
const version = fc.integer({ min: 1, max: 6 });
const naming = fc.record<Extract<Step, { version: number }>>({
  do: fc.constantFrom('hold', 'release', 'lease', 'unlease'),
  version,
});
const histories = fc
  .array(fc.oneof({ weight: 5, arbitrary: publishing }, { weight: 3, arbitrary: passing }, naming), {
    minLength: 6,
    maxLength: 14,
  })
  // A history that has nothing to expire shows nothing.
  .map((steps): Step[] => [
    ...[1, 2, 3].map((n): Step => ({ do: 'publish', how: 'upsert', buckets: [n, 1], days: 4 })),
    ...steps,
  ]);

const noChanges = { inserted: 0, updated: 0, unchanged: 0, deleted: 0, vanished: 0, superseded: 0, stale: 0 };

describe('over any history of publications, holds and leases', () => {
  it('what is collected is exactly what no living version, lease or run refers to; living ones stay whole', async () => {
    await fc.assert(fc.asyncProperty(histories, checkHistory), { numRuns: 8 });
  }, 120_000);
});

/** By version. */
type Leases = Map<number, { id: string; digests: string[] }>;

async function checkHistory(steps: Step[]): Promise<void> {
  await reset();
  let today = 0;
  const leases: Leases = new Map();
  for (const step of steps) {
    if ('days' in step) today += step.days;
    await take(step, today, leases);
  }
  await collect(world, 0);
  await expectExactly(leases);

  for (const { id } of leases.values()) await releaseLease(world, id);
  await world.catalog('version_hold').delete();
  await expire(day(today + 1000));
  await collect(world, 0);
  const current = (await resolveVersion(world, DATASET, 'current')).number;
  expect(await living()).toEqual([current - 1, current].filter((number) => number > 0));
  await expectExactly(new Map());
}

async function take(step: Step, today: number, leases: Leases): Promise<void> {
  const { catalog } = world;
  switch (step.do) {
    case 'publish':
      return publishAs(step, today);
    case 'hold':
      if (!(await living()).includes(step.version)) return;
      await catalog('version_hold')
        .insert({
          ...{ dataset: DATASET, version: step.version, until: day(10_000), reason: 'x', actor: 'x' },
          placed_at: day(0),
        })
        .onConflict()
        .ignore();
      return;
    case 'release':
      await catalog('version_hold').where({ version: step.version }).delete();
      return;
    case 'lease': {
      if (leases.has(step.version) || !(await living()).includes(step.version)) return;
      const digests = await objectsOf(step.version);
      leases.set(step.version, { ...(await acquireLease(world, { digests, holder: 'server:test' })), digests });
      return;
    }
    case 'unlease': {
      const lease = leases.get(step.version);
      if (lease) await releaseLease(world, lease.id);
      leases.delete(step.version);
      return;
    }
    case 'expire': {
      const protectedNow = [...leases.keys(), ...(await catalog('version_hold').pluck('version'))];
      const before = await living();
      expect((await expire(day(today))).failed).toEqual([]);
      const after = await living();
      expect(before.filter((number) => protectedNow.includes(number) && !after.includes(number))).toEqual([]);
      return;
    }
    case 'collect':
      await collect(world, 0);
  }
}

/** As a worker would: what the current version has already is named and not staged again. */
async function publishAs({ how, buckets }: Extract<Step, { do: 'publish' }>, today: number): Promise<void> {
  const modes = {
    snapshot: null,
    upsert: { kind: 'upsert', cursor: 'x', buckets: 3 },
    append: { kind: 'append', cursor: 'x' },
  };
  const kind = how === 'compact' ? 'append' : how;
  await world.catalog('dataset').update({ definition: { ...(await definition()), mode: modes[kind] ?? undefined } });
  const [row] = await world.catalog('version').orderBy('number', 'desc').limit(1);
  const base: Manifest | undefined = row && (await readManifestObject(world.store, row.manifest_digest));
  const run = await world.begin({ confirm: true });
  const has = new Set(row?.mode === 'upsert' && base ? partsOf(base).map(({ digest }) => digest) : []);
  const stage = async (text: string, rows: number, bucket?: number) => {
    const digest = createHash('sha256').update(text).digest('hex');
    const known = kind === 'upsert' && has.has(digest);
    const stored = known ? { digest, sizeBytes: text.length } : await world.stage(run, 'part', text);
    return { ...stored, rows, ...(bucket !== undefined && { bucket }) };
  };
  const segmentsKept = Math.max(0, (base?.segments.length ?? 0) - (how === 'compact' ? 1 : 0));
  const compacted = base?.segments.slice(segmentsKept).flatMap(({ parts }) => parts) ?? [];
  const parts = [];
  if (kind === 'append') {
    const rows = compacted.reduce((sum, part) => sum + part.rows, 1);
    parts.push(await stage(`appended to ${row?.number ?? 0}`, rows));
  } else {
    const buckets_ = kind === 'upsert';
    for (const [i, rows] of buckets.entries()) parts.push(await stage(`${i}: ${rows}`, rows, buckets_ ? i : undefined));
  }
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const more = kind === 'append' ? 1 : rows - (base?.rows ?? 0);
  const changes = { ...noChanges, inserted: Math.max(0, more), vanished: Math.max(0, -more) };
  const incremental = {
    ...{ mode: kind, full: base === undefined, position: '7', changes, ...(base && { base: base.version }) },
    ...(kind === 'append' ? { segmentsKept } : { buckets: { count: 3, key: ['id'], hash: 'fnv-murmur/1' } }),
  };
  const report = {
    ...makeReport(run, parts),
    ...(kind !== 'snapshot' && { rowsRead: changes.inserted, rowsPublished: changes.inserted, incremental }),
  };
  const { digest: reportDigest } = await world.stage(run, 'report', JSON.stringify(report));
  const outcome = await commitRun(world, { ...run, reportDigest });
  if (outcome.outcome !== 'published') return expect(outcome.outcome).toBe('unchanged');
  await world
    .catalog('version')
    .where({ number: outcome.version })
    .update({ published_at: day(today) });
}

async function objectsOf(number: number): Promise<string[]> {
  const version = await resolveVersion(world, DATASET, number);
  return [version.manifestDigest, ...partsOf(await readManifest(world, version)).map(({ digest }) => digest)];
}

/** The store has what living versions are made of, what is leased, and the reports of runs; nothing else. */
async function expectExactly(leases: Leases): Promise<void> {
  const wanted = new Set([...leases.values()].flatMap(({ digests }) => digests));
  for (const number of await living()) for (const digest of await objectsOf(number)) wanted.add(digest);
  const reports: string[] = await world
    .catalog('run')
    .leftJoin('version', 'version.run', 'run.id')
    .whereNull('version.expired_at')
    .whereNotNull('report_digest')
    .pluck('report_digest');
  for (const digest of reports) wanted.add(digest);
  const there: string[] = [];
  for await (const { digest } of world.store.list()) there.push(digest);
  expect(there.sort()).toEqual([...wanted].sort());
}
