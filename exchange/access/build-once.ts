/** Making derived data once, however many servers want it: whoever has the lease makes it, the others wait for it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';

export interface Build<T> {
  /** Names what is made, and everything that it depends on. */
  key: string;
  /** What is there already. */
  find(): Promise<T | undefined>;
  /** `alive` is to be called now and then: where it is not, the lease runs out and another begins again. */
  make(alive: () => Promise<void>): Promise<T>;
}

/** Throws what `find` and `make` throw; then whoever waits tries itself. */
export async function buildOnce<T>(catalog: Catalog, { key, find, make }: Build<T>): Promise<T> {
  const builder = randomUUID();
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (!(await takeLease(catalog, key, builder))) {
      await sleep(limits.projectionPollMs);
      continue;
    }
    try {
      // Another may have finished between the look and the lease.
      return (await find()) ?? (await make(renewing(catalog, key, builder)));
    } finally {
      await catalog('projection_build').where({ key, builder }).delete();
    }
  }
}

function renewing(catalog: Catalog, key: string, builder: string): () => Promise<void> {
  let renewed = Date.now();
  return async () => {
    if (Date.now() - renewed < limits.projectionLeaseMs / 3) return;
    renewed = Date.now();
    const expires_at = catalog.raw(`now() + ? * interval '1 millisecond'`, [limits.projectionLeaseMs]);
    await catalog('projection_build').where({ key, builder }).update({ expires_at });
  };
}

/** Whether it is ours to make: nobody is at it, or who was has not been heard of for the length of a lease. */
async function takeLease(catalog: Catalog, key: string, builder: string): Promise<boolean> {
  const { rows } = await catalog.raw<{ rows: unknown[] }>(
    `insert into projection_build (key, builder, expires_at)
     values (:key, :builder, now() + :lease * interval '1 millisecond')
     on conflict (key) do update set builder = excluded.builder, expires_at = excluded.expires_at
       where projection_build.expires_at < now()
     returning key`,
    { key, builder, lease: limits.projectionLeaseMs },
  );
  return rows.length > 0;
}
