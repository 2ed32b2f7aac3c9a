/** `snapshot: transaction`, for servers that cannot share a snapshot: here, one where nobody may export it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PostgresConfig } from '../../../connectors/postgres/config.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { limits } from '../../../lib/limits.ts';
import { createDatabase } from '../../support/postgres.ts';
import { contextOf, execute } from './support.ts';

const ROWS = 40_000;
const table = { table: { name: 'visits' } };
let database: { url: string; drop(): Promise<void> };
const user = `reader_${randomUUID().slice(0, 8)}`;
let config: PostgresConfig;

beforeAll(async () => {
  database = await createDatabase();
  await execute(
    database.url,
    `create role ${user} login password 'secret';
     create table visits (id int primary key, note text);
     insert into visits select i, repeat('n', 100) from generate_series(1, ${ROWS}) i;
     grant select on visits to ${user};
     revoke execute on function pg_export_snapshot() from public`,
  );
  const url = new URL(database.url);
  url.username = user;
  url.password = 'secret';
  config = { url: url.href };
});
afterAll(async () => {
  await execute(database.url, `drop owned by ${user}; drop role ${user}`);
  await database.drop();
});

test('without an exported snapshot the check says so, and with `transaction` it is good', async () => {
  const report = await postgres.check(config, contextOf());
  expect(report.steps.at(-1)).toMatchObject({ name: 'snapshot', ok: false, code: 'SOURCE_FORBIDDEN' });
  await expect(postgres.openSnapshot(config, contextOf())).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  const asked = await postgres.check({ ...config, snapshot: 'transaction' }, contextOf());
  expect(asked).toMatchObject({ ok: true });
  expect(asked.steps.at(-1)?.message).toMatch(/one transaction/);
});

test('the table is read in one piece, in one transaction, and the version says so', async () => {
  const alone = { ...config, snapshot: 'transaction' as const };
  const snapshot = await postgres.openSnapshot(alone, contextOf());
  try {
    const plan = await postgres.plan(snapshot, table, { partitions: 4 });
    expect(plan).toMatchObject({ guarantee: 'transaction', partitions: [{ table: { name: 'visits' } }] });
    expect(plan).not.toHaveProperty('snapshotToken');
    const cut = { batchRowsMax: 1_000, batchBytesMax: limits.batchBytesMax };
    let rows = 0;
    for (const partition of plan.partitions) {
      for await (const { batch } of postgres.read(alone, { plan, partition, ...cut }, contextOf())) {
        // What is deleted while it is read is read all the same.
        if (rows === 0) await execute(database.url, 'delete from visits where id > 100');
        rows += batch.numRows;
      }
    }
    expect(rows).toBe(ROWS);
  } finally {
    await snapshot.close();
  }
});

test('a plan that promises one state is never read without it', async () => {
  const alone = { ...config, snapshot: 'transaction' as const };
  const snapshot = await postgres.openSnapshot(alone, contextOf());
  const plan = await postgres.plan(snapshot, table, { partitions: 1 });
  await snapshot.close();
  const forged = { ...plan, guarantee: 'snapshot' as const };
  const [partition] = plan.partitions;
  const request = { plan: forged, partition: partition!, batchRowsMax: 10, batchBytesMax: limits.batchBytesMax };
  await expect(postgres.read(alone, request, contextOf()).next()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
});
