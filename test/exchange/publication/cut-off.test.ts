/** FAULTS 17: a worker of the exchange that reaches the store and not the catalog publishes nothing. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCatalog } from '../../../catalog/database.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { listVersions } from '../../../exchange/publication/versions.ts';
import { Link } from '../../crash/link.ts';
import { DATASET, openWorld, stageReport, type World } from './world.ts';

let world: World;
let link: Link;
beforeEach(async () => {
  world = await openWorld();
  link = await Link.open(new URL(world.url).host);
});
afterEach(async () => {
  link.close();
  await world.close();
});

it('cut off in the midst of the commit it says CATALOG_UNREACHABLE, which is retriable; another worker commits once', async () => {
  const url = new URL(world.url);
  url.host = link.address;
  const cutOff = { catalog: openCatalog(url.href), store: world.store };
  const run = await world.begin();
  const request = { ...run, reportDigest: await stageReport(world.stage, run, [['one', 1]]) };
  const versions = async () => (await listVersions(world, { dataset: DATASET })).items.map(({ number }) => number);
  const hold = await world.catalog.transaction();
  try {
    await hold.raw('select from dataset for update');
    const committing = commitRun(cutOff, request).catch((e: unknown) => e);
    await expect
      .poll(async () => {
        const { rows } = await world.catalog.raw(
          'select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0',
        );
        return rows.length;
      })
      .toBe(1);
    // Its manifest is in the store: all that is missing is the transaction.
    link.close();
    expect(await committing).toMatchObject({ code: 'CATALOG_UNREACHABLE', recovery: 'retriable' });
  } finally {
    await hold.rollback();
    await cutOff.catalog.destroy();
  }
  expect(await versions()).toEqual([]);
  const staged = await world.catalog('staged_object').where({ kind: 'manifest' }).select('digest');
  expect(staged).toHaveLength(1);
  expect(await world.store.stat(staged[0].digest)).toBeDefined();
  expect(await commitRun(world, request)).toMatchObject({ outcome: 'published', version: 1 });
  expect(await versions()).toEqual([1]);
});
