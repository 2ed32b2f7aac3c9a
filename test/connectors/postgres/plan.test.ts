import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlanOptions, ReadPlan, TableRequest } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { createDatabase } from '../../support/postgres.ts';
import { contextOf, execute, readTable } from './support.ts';

let database: { url: string; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

async function planOf(request: TableRequest, options: PlanOptions = { partitions: 1 }): Promise<ReadPlan> {
  const snapshot = await postgres.openSnapshot({ url: database.url }, contextOf());
  try {
    return await postgres.plan(snapshot, request, options);
  } finally {
    await snapshot.close();
  }
}

async function countRows(request: TableRequest, partitions: number): Promise<{ rows: number; plan: ReadPlan }> {
  let rows = 0;
  const take = ({ batch }: { batch: { numRows: number } }) => {
    rows += batch.numRows;
  };
  const plan = await readTable(database.url, request, take, { partitions });
  return { rows, plan };
}

test('only what the source keeps unique and not null is a unique key', async () => {
  await execute(
    database.url,
    `create table keys (id int primary key, a int not null, b int not null, c int, d int not null, e int not null unique deferrable);
     create unique index on keys (a, b) include (c);
     create unique index on keys (c);
     create unique index on keys (d) where d > 0;
     create unique index on keys (abs(d));
     create table heir () inherits (keys);
     create table single (id int primary key)`,
  );
  expect((await planOf({ table: { name: 'single' } })).uniqueKeys).toEqual([['id']]);
  // Rows of an heir are rows of the parent, and no index of the parent covers them.
  expect((await planOf({ table: { name: 'keys' } })).uniqueKeys).toEqual([]);
  await execute(database.url, 'drop table heir');
  expect((await planOf({ table: { name: 'keys' } })).uniqueKeys).toEqual([['id'], ['a', 'b']]);
  expect((await planOf({ table: { name: 'keys' }, columns: ['b', 'a'] })).uniqueKeys).toEqual([['a', 'b']]);
});

test('partitioned tables are read by leaf and range, all rows once', async () => {
  await execute(
    database.url,
    `create table visits (id int, day date, note text) partition by range (day);
     create table visits_a partition of visits for values from ('2024-01-01') to ('2025-01-01');
     create table visits_b (note text, day date, dropped int, id int);
     alter table visits_b drop column dropped;
     alter table visits attach partition visits_b default;
     insert into visits select i, date '2024-06-01' + i % 500, repeat('n', 100) from generate_series(1, 30000) i`,
  );
  const { rows, plan } = await countRows({ table: { name: 'visits' } }, 4);
  expect(rows).toBe(30_000);
  expect(new Set(plan.partitions.map((partition) => (partition as { table: { name: string } }).table.name)).size).toBe(
    2,
  );
  expect(plan.partitions.length).toBeGreaterThan(2);
  expect((await countRows({ table: { name: 'visits' } }, 1)).plan.partitions).toHaveLength(1);
  await execute(database.url, 'alter table visits enable row level security');
  expect((await countRows({ table: { name: 'visits' } }, 4)).plan.partitions).toHaveLength(1);
});

test('rows behind the last planned block belong to the last partition', async () => {
  await execute(
    database.url,
    `create table grown as select i as id, repeat('g', 100) as filler from generate_series(1, 10000) i`,
  );
  const plan = await planOf({ table: { name: 'grown' } }, { partitions: 2 });
  await execute(database.url, `insert into grown select i, repeat('g', 100) from generate_series(1, 20000) i`);
  const snapshot = await postgres.openSnapshot({ url: database.url }, contextOf());
  try {
    let rows = 0;
    for (const partition of plan.partitions) {
      const late = { ...plan, snapshotToken: snapshot.token };
      const request = { plan: late, partition, batchRowsMax: 1000, batchBytesMax: 1e6 } as Parameters<
        typeof postgres.read
      >[1];
      for await (const { batch } of postgres.read({ url: database.url }, request, contextOf())) rows += batch.numRows;
    }
    expect(plan.partitions).toHaveLength(2);
    expect(rows).toBe(30_000);
  } finally {
    await snapshot.close();
  }
});

test('views, materialised views, generated columns, tables without columns', async () => {
  await execute(
    database.url,
    `create table base (id int not null, twice int generated always as (id * 2) stored); insert into base values (1), (2);
     create view seen as select * from base; create materialized view kept as select * from base;
     create table bare (); insert into bare default values; insert into bare default values`,
  );
  for (const name of ['seen', 'kept', 'base', 'bare']) {
    expect((await countRows({ table: { name } }, 3)).rows, name).toBe(2);
  }
});

test('a table that changed between planning and reading is SCHEMA_DRIFT', async () => {
  await execute(
    database.url,
    'create table drifting (id int, amount numeric(10,2)); insert into drifting values (1, 1)',
  );
  const plan = await planOf({ table: { name: 'drifting' } });
  const readAgain = async () => {
    const snapshot = await postgres.openSnapshot({ url: database.url }, contextOf());
    try {
      const request = {
        plan: { ...plan, snapshotToken: snapshot.token },
        partition: plan.partitions[0],
        batchRowsMax: 9,
        batchBytesMax: 1e6,
      };
      let rows = 0;
      const batches = postgres.read({ url: database.url }, request as Parameters<typeof postgres.read>[1], contextOf());
      for await (const { batch } of batches) rows += batch.numRows;
      return rows;
    } finally {
      await snapshot.close();
    }
  };
  expect(await readAgain()).toBe(1);
  for (const change of ['alter column amount type numeric(10,3)', 'drop column amount']) {
    await execute(database.url, `alter table drifting ${change}`);
    await expect(readAgain()).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
  }
  await execute(database.url, 'drop table drifting');
  await expect(readAgain()).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
});

test('a snapshot whose backend was ended is SNAPSHOT_LOST, and a failed plan leaves it alive', async () => {
  const snapshot = await postgres.openSnapshot({ url: database.url }, contextOf());
  try {
    await expect(postgres.plan(snapshot, { table: { name: 'nowhere' } }, { partitions: 1 })).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
    });
    await snapshot.assertAlive();
    await execute(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'huitong/test' and datname = current_database()`,
    );
    await expect(snapshot.assertAlive()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
  } finally {
    await snapshot.close();
  }
});

test('control totals are exact and leave out what Arrow cannot hold', async () => {
  await execute(
    database.url,
    `create table totals (a int, b bigint, c numeric(10,2), d numeric, e money, f oid, g text);
     insert into totals values (1, 9223372036854775807, 0.10, 1.5, 2.25, 4294967295, 'x'),
       (2, 9223372036854775807, 'NaN', 1.555, -1, 1, 'y'), (null, null, 12345678.90, 'Infinity', null, null, null)`,
  );
  const snapshot = await postgres.openSnapshot({ url: database.url }, contextOf());
  try {
    const overrides = { d: { as: 'decimal' as const, precision: 12, scale: 2 } };
    const totals = await snapshot.controlTotals({ table: { name: 'totals' }, overrides });
    const sums = { a: '3', b: '18446744073709551614', c: '12345679.00', d: '1.50', e: '1.25', f: '4294967296' };
    expect(totals).toEqual({ rows: 3, sums });
    expect(await snapshot.controlTotals({ table: { name: 'bare' } })).toEqual({ rows: 2, sums: {} });
  } finally {
    await snapshot.close();
  }
});
