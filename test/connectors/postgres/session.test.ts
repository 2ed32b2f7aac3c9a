import { expect, test } from 'vitest';
import { postgres } from '../../../connectors/postgres/index.ts';
import { withDatabase } from '../../support/postgres.ts';
import { contextOf, execute } from './support.ts';

/** A view tells what holds in the very session that reads it. */
const VIEW = `
  create view session as
    select current_setting('transaction_read_only') as read_only, current_setting('transaction_isolation') as isolation,
           current_setting('statement_timeout') as statement_timeout, current_setting('application_name') as label,
           current_setting('synchronize_seqscans') as synchronize_seqscans, current_setting('timezone') as timezone,
           current_setting('datestyle') as datestyle, current_setting('intervalstyle') as intervalstyle,
           current_setting('bytea_output') as bytea_output, current_setting('extra_float_digits') as float_digits`;

/** As a database may have them for everybody: none of it is ours. */
const HABITS = `
  do $$ begin
    execute format('alter database %I set timezone = %L', current_database(), 'Asia/Shanghai');
    execute format('alter database %I set datestyle = %L', current_database(), 'SQL, DMY');
    execute format('alter database %I set intervalstyle = %L', current_database(), 'iso_8601');
    execute format('alter database %I set bytea_output = %L', current_database(), 'escape');
    execute format('alter database %I set extra_float_digits = %L', current_database(), '-5');
  end $$`;

/** Where order matters, two scans of a table must begin at its beginning; texts must not depend on the database. */
const OURS = {
  synchronize_seqscans: 'off',
  timezone: 'UTC',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  float_digits: '1',
};

test('rows are read in a read-only transaction, with settings of our own, under the statement’s time and the label of who asks', async () => {
  await withDatabase(async (url) => {
    await execute(url, VIEW);
    await execute(url, HABITS);
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
        {
          read_only: 'on',
          isolation: 'repeatable read',
          statement_timeout: '7s',
          label: context.label.slice(0, 63),
          ...OURS,
        },
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
