import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../support/postgres.ts';
import { execute, readTable } from './support.ts';

let database: { url: string; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

test('rows arrive in columns, with their nulls', async () => {
  await execute(
    database.url,
    `create table 居民 (编号 bigint primary key, 姓名 text, born date, share numeric(10,4));
     insert into 居民 values (9007199254740993, '李雷', '2000-01-02', 1.5), (2, null, null, -0.0001)`,
  );
  const rows: unknown[] = [];
  const plan = await readTable(database.url, { table: { name: '居民' } }, ({ batch }) => {
    for (const row of batch) rows.push(JSON.parse(JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? `${v}` : v))));
  });
  expect(rows).toMatchObject([
    { 编号: '9007199254740993', 姓名: '李雷' },
    { 编号: '2', 姓名: null },
  ]);
  expect(plan.uniqueKeys).toEqual([['编号']]);
});

test('several batches and partitions are the whole table', async () => {
  await execute(
    database.url,
    `create table big as select i as id, repeat('x', i % 200) as filler, i * 0.01 ::numeric(12,2) as amount
       from generate_series(1, 60000) i`,
  );
  const seen = new Set<number>();
  let batches = 0;
  const options = { partitions: 3, batchRowsMax: 7_000 };
  const plan = await readTable(
    database.url,
    { table: { name: 'big' } },
    ({ batch }) => {
      batches++;
      for (const id of batch.getChild('id') ?? []) seen.add(id);
    },
    options,
  );
  expect(plan.partitions).toHaveLength(3);
  expect(batches).toBe(9);
  expect(seen.size).toBe(60_000);
});
