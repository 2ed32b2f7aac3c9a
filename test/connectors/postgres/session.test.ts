import { expect, test } from 'vitest';
import { postgres } from '../../../connectors/postgres/index.ts';
import { withDatabase } from '../../support/postgres.ts';
import { contextOf, execute } from './support.ts';

/** A view tells what holds in the very session that reads it. */
const VIEW = `
  create view session as
    select current_setting('transaction_read_only') as read_only, current_setting('transaction_isolation') as isolation,
           current_setting('statement_timeout') as statement_timeout, current_setting('application_name') as label`;

test('rows are read in a read-only transaction, under the statement’s time and the label of who asks', async () => {
  await withDatabase(async (url) => {
    await execute(url, VIEW);
    const config = { url, statementTimeoutMs: 7_000 };
    const context = { ...contextOf(), label: 'huitong/health.people/0198c1f2-0000-7000-8000-000000000001' };
    const snapshot = await postgres.openSnapshot(config, context);
    try {
      const plan = await postgres.plan(snapshot, { table: { name: 'session' } }, { partitions: 1 });
      const request = { plan, partition: plan.partitions[0]!, batchRowsMax: 10, batchBytesMax: 1 << 20 };
      const rows: unknown[] = [];
      for await (const { batch } of postgres.read(config, request, context))
        rows.push(...batch.toArray().map((row) => row.toJSON()));
      expect(rows).toEqual([
        // PostgreSQL keeps 63 bytes of a name.
        { read_only: 'on', isolation: 'repeatable read', statement_timeout: '7s', label: context.label.slice(0, 63) },
      ]);
    } finally {
      await snapshot.close();
    }
  });
});

test('a DBA sees the label of every connection in pg_stat_activity, and a statement beyond its time ends', async () => {
  await withDatabase(async (url) => {
    await execute(url, 'create view slow as select 1 as id, pg_sleep(30)::text as slept');
    const config = { url, statementTimeoutMs: 1_000 };
    const snapshot = await postgres.openSnapshot(config, contextOf());
    try {
      const { rows } = await execute(
        url,
        `select count(*)::int as n from pg_stat_activity
         where application_name = 'huitong/test' and datname = current_database()`,
      );
      expect(rows).toEqual([{ n: 1 }]);
      const plan = await postgres.plan(snapshot, { table: { name: 'slow' } }, { partitions: 1 });
      const request = { plan, partition: plan.partitions[0]!, batchRowsMax: 10, batchBytesMax: 1 << 20 };
      const reading = postgres.read(config, request, contextOf())[Symbol.asyncIterator]();
      await expect(reading.next()).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
    } finally {
      await snapshot.close();
    }
  });
});
