import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../../exchange/publication/collect.ts';
import { acquireLease, releaseLease, renewLease } from '../../../exchange/publication/leases.ts';
import { partsOf } from '../../../exchange/publication/manifest.ts';
import { failRun } from '../../../exchange/publication/runs.ts';
import { readManifest, resolveVersion } from '../../../exchange/publication/versions.ts';
import { DATASET, type OpenRun, openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const exists = async (digest: string) => (await world.store.stat(digest)) !== undefined;
const fail = (run: OpenRun) => failRun(world, { runId: run.runId, code: 'SOURCE_UNREACHABLE', message: 'gone' });

/** As if the object had been put a day ago. */
async function age(digest: string): Promise<void> {
  const path = join(world.directory, 'objects', digest.slice(0, 2), digest.slice(2));
  const then = new Date(Date.now() - 24 * 60 * 60 * 1000);
  await utimes(path, then, then);
}

async function ageAll(): Promise<void> {
  for await (const { digest } of world.store.list()) await age(digest);
}

describe('the collector', () => {
  it('removes what a failed run staged, after the grace time and not before (FAULTS 2)', async () => {
    const run = await world.begin();
    const { digest } = await world.stage(run, 'part', 'orphan');
    await fail(run);
    expect(await collect(world, 60_000)).toEqual({ objects: 0, bytes: 0 });
    await age(digest);
    expect(await collect(world, 60_000)).toEqual({ objects: 1, bytes: 6 });
    expect(await exists(digest)).toBe(false);
  });

  it('leaves what a running generation staged, and removes that of the generation before', async () => {
    const run = await world.begin();
    const { digest: running } = await world.stage(run, 'part', 'in flight');
    await ageAll();
    expect(await collect(world)).toMatchObject({ objects: 0 });
    await world.begin();
    expect(await collect(world)).toMatchObject({ objects: 1 });
    expect(await exists(running)).toBe(false);
  });

  it('never removes what a version is made of, also where a failed run staged the same', async () => {
    await world.publish(
      [
        ['one', 1],
        ['two', 1],
      ],
      { quarantine: [['bad', 1]] },
    );
    const stray = await world.begin();
    await world.stage(stray, 'part', 'one');
    await fail(stray);
    await ageAll();
    expect(await collect(world)).toEqual({ objects: 0, bytes: 0 });
    await expectWhole();
  });

  it('removes quarantined rows when their time is over', async () => {
    await world.publish([['one', 9]], { quarantine: [['bad', 1]] });
    const [{ digest }] = await world.catalog('quarantine_part').select<{ digest: string }[]>('digest');
    await ageAll();
    await collect(world);
    expect(await exists(digest)).toBe(true);
    await world.catalog('quarantine_part').update({ expires_at: new Date(0) });
    expect(await collect(world)).toMatchObject({ objects: 1 });
    expect(await exists(digest)).toBe(false);
  });

  it('never removes what a reader has leased, until the lease is released or has run out (FAULTS 23)', async () => {
    const run = await world.begin();
    const { digest } = await world.stage(run, 'part', 'read by someone');
    const lease = await acquireLease(world, { digests: [digest], holder: 'server:test' });
    await fail(run);
    await ageAll();
    expect(await collect(world)).toMatchObject({ objects: 0 });
    const [first] = await world.catalog('lease').select('expires_at');
    await renewLease(world, lease.id);
    const [renewed] = await world.catalog('lease').select('expires_at');
    expect(renewed.expires_at.getTime()).toBeGreaterThanOrEqual(first.expires_at.getTime());
    await world.catalog('lease').update({ expires_at: world.catalog.fn.now() });
    await expect(renewLease(world, lease.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.catalog('lease').update({ expires_at: renewed.expires_at });
    await releaseLease(world, lease.id);
    await expect(renewLease(world, lease.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await collect(world)).toMatchObject({ objects: 1 });
    const gone = acquireLease(world, { digests: [digest], holder: 'server:test' });
    await expect(gone).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(await world.catalog('lease').select('id')).toEqual([]);
  });

  it('racing readers, stagers and commits never takes what one of them was promised', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 3, maxLength: 6 }), fc.nat(), async (texts, salt) => {
        // Old and unreferenced: from now on the collector may take it, and each of the others wants it.
        const old = await world.begin();
        const parts = [...new Set(texts)].map((text) => `part ${salt} ${text}`);
        for (const text of parts) await world.stage(old, 'part', text);
        await fail(old);
        await ageAll();
        const digests = await world
          .catalog('staged_object')
          .where({ run: old.runId })
          .select<{ digest: string }[]>('digest');

        const [, published, ...leases] = await Promise.allSettled([
          collect(world),
          world.publish(parts.map((text) => [text, 1])),
          ...digests.map(async ({ digest }) => {
            const { id } = await acquireLease(world, { digests: [digest], holder: 'server:test' });
            const text = (await buffer(await world.store.read(digest))).toString();
            await releaseLease(world, id);
            return text;
          }),
        ]);
        for (const lease of leases) {
          if (lease.status === 'fulfilled') expect(parts).toContain(lease.value);
          else expect(lease.reason).toMatchObject({ code: 'OBJECT_MISSING' });
        }
        if (published.status === 'rejected') expect(published.reason).toMatchObject({ code: 'OBJECT_MISSING' });
        else await expectWhole();
      }),
      { numRuns: 8 },
    );
  });
});

async function expectWhole(): Promise<void> {
  const manifest = await readManifest(world, await resolveVersion(world, DATASET, 'current'));
  for (const part of partsOf(manifest)) {
    expect(await world.store.verify(part.digest)).toEqual({ digest: part.digest, sizeBytes: part.sizeBytes });
  }
}
