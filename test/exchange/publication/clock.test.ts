/** FAULTS 18: the clock of one process is an hour off, or stepped; what counts is PostgreSQL's, and what comes after what. */
import { randomUUID } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { authenticate, mintToken, rotateToken } from '../../../exchange/access/tokens.ts';
import { collect } from '../../../exchange/publication/collect.ts';
import { acquireLease } from '../../../exchange/publication/leases.ts';
import { failRun } from '../../../exchange/publication/runs.ts';
import { listVersions, resolveVersion } from '../../../exchange/publication/versions.ts';
import { limits } from '../../../lib/limits.ts';
import { DATASET, openWorld, type World } from './world.ts';

const HOUR_MS = 60 * 60 * 1000;
const refused = (code: string) => expect.objectContaining({ code });

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => world.close());

/** This process's clock from now on; PostgreSQL's goes on as it was. */
function step(byMs: number): void {
  const now = performance.timeOrigin + performance.now();
  vi.setSystemTime(now + byMs);
}

describe('a clock that is an hour off (FAULTS 18)', () => {
  it('versions follow each other in the order of their commits, whatever the times say', async () => {
    for (const [i, byMs] of [0, HOUR_MS, -HOUR_MS, 0, -2 * HOUR_MS].entries()) {
      step(byMs);
      expect(await world.publish([[`state ${i}`, 1]])).toMatchObject({ outcome: 'published', version: i + 1 });
      expect(await resolveVersion(world, DATASET, 'current')).toMatchObject({ number: i + 1 });
    }
    const { items } = await listVersions(world, { dataset: DATASET });
    expect(items.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1]);
  });

  it.each([-HOUR_MS, HOUR_MS])('a reader’s lease holds for its time (clock of the reader %i ms off)', async (byMs) => {
    const run = await world.begin();
    const { digest } = await world.stage(run, 'part', 'being read');
    step(byMs);
    await acquireLease(world, { digests: [digest], holder: 'server:test' });
    vi.useRealTimers();
    const { rows } = await world.catalog.raw(
      'select extract(epoch from expires_at - now()) * 1000 as left_ms from lease',
    );
    expect(Number(rows[0].left_ms)).toBeGreaterThan(0);
    expect(Number(rows[0].left_ms)).toBeLessThanOrEqual(limits.leaseMs);
    await failRun(world, { runId: run.runId, code: 'SOURCE_UNREACHABLE', message: 'gone' });
    const then = new Date(Date.now() - 2 * limits.collectGraceMs);
    await utimes(join(world.directory, 'objects', digest.slice(0, 2), digest.slice(2)), then, then);
    expect(await collect(world)).toMatchObject({ objects: 0 });
    expect(await world.store.stat(digest)).toBeDefined();
  });

  it.each([-HOUR_MS, HOUR_MS])('a token ends when PostgreSQL says so (clock of the server %i ms off)', async (byMs) => {
    const expiresAt = new Date(Date.now() + HOUR_MS / 2).toISOString();
    const officer = { department: 'health', subject: randomUUID(), roles: ['officer' as const] };
    const { secret: former, token } = await mintToken(world.catalog, { ...officer, expiresAt });
    const { secret } = await rotateToken(world.catalog, token.id, HOUR_MS / 2 / 1000);
    const row = world.catalog('access_token').where({ id: token.id });
    step(byMs);
    for (const one of [secret, former]) {
      await expect(authenticate(world.catalog, one)).resolves.toMatchObject({ tokenId: token.id });
    }
    await row.clone().update({ previous_expires_at: world.catalog.fn.now() });
    await expect(authenticate(world.catalog, former)).rejects.toThrow(refused('UNAUTHENTICATED'));
    await row.clone().update({ expires_at: world.catalog.fn.now() });
    await expect(authenticate(world.catalog, secret)).rejects.toThrow(refused('UNAUTHENTICATED'));
  });
});
