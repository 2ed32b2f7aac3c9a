import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { createDatabase } from '../../support/postgres.ts';
import { type Exchange, openExchange } from './exchange.ts';

let source: { url: string; drop(): Promise<void> };
let client: pg.Client;

beforeAll(async () => {
  source = await createDatabase();
  client = new pg.Client(source.url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await source.drop();
});

const connector = postgres as Connector;
const definition = (table: string, cursor: string) => ({
  table: { schema: 'public', name: table },
  columns: ['id', '姓名'],
  mode: { kind: 'upsert' as const, cursor, buckets: 16 as const },
});

async function withExchange(table: string, cursor: string, body: (exchange: Exchange) => Promise<void>): Promise<void> {
  const exchange = await openExchange({ connector, config: { url: source.url } }, definition(table, cursor));
  try {
    await body(exchange);
  } finally {
    await exchange.close();
  }
}

/** Another session's transaction, left open. */
async function openTransaction(...statements: string[]): Promise<{ commit(): Promise<void> }> {
  const other = new pg.Client(source.url);
  await other.connect();
  for (const statement of ['begin', ...statements]) await other.query(statement);
  return {
    commit: async () => {
      await other.query('commit');
      await other.end();
    },
  };
}

const people = (count: number, name = '张三') =>
  new Map(Array.from({ length: count }, (_, i): [number, string] => [i + 1, name]));

describe('upsert by key', () => {
  test('a run reads what is new and writes what it touched; a full refresh comes to the same bytes', async () => {
    await client.query(`
      create table upserted (id bigint primary key, "姓名" text, changed timestamptz not null default now());
      insert into upserted select n, '张三' from generate_series(1, 200) n`);
    await withExchange('upserted', 'changed', async (exchange) => {
      const first = await exchange.publish();
      expect(first.outcome).toMatchObject({ outcome: 'published', version: 1 });
      expect(first.run.changes).toMatchObject({ inserted: 200, updated: 0 });
      expect(await exchange.rows()).toEqual(people(200));
      const base = await exchange.manifest();

      // Nothing new: no version, and the state is where it was or further on.
      expect((await exchange.publish()).outcome).toMatchObject({ outcome: 'unchanged', version: 1 });

      await client.query(`update upserted set "姓名" = '李四', changed = clock_timestamp() where id = 7`);
      await client.query(`insert into upserted values (201, '王五', clock_timestamp())`);
      const second = await exchange.publish();
      expect(second.run).toMatchObject({
        mode: 'upsert',
        account: { rowsRead: 2, rowsPublished: 2, rowsQuarantined: 0 },
        changes: { inserted: 1, updated: 1, unchanged: 0, deleted: 0, vanished: 0, stale: 0 },
      });
      const next = await exchange.manifest();
      expect(await exchange.rows()).toEqual(new Map([...people(200), [7, '李四'], [201, '王五']]));
      const before = new Set(base.segments[0]!.parts.map(({ digest }) => digest));
      const written = next.segments[0]!.parts.filter(({ digest }) => !before.has(digest));
      expect(written.length).toBeLessThanOrEqual(2);

      const full = await exchange.publish({ reading: { full: true } });
      expect(full.outcome).toMatchObject({ outcome: 'unchanged', version: 2 });
      expect(full.report.parts.map(({ digest }) => digest)).toEqual(
        next.segments[0]!.parts.map(({ digest }) => digest),
      );
      expect(full.run.changes).toMatchObject({ unchanged: 201, inserted: 0, vanished: 0 });
    });
  });

  test('an update that breaks the contract leaves the old row, flagged, until a good one comes', async () => {
    await client.query(`
      create table mended (id bigint primary key, "姓名" text, changed timestamptz not null default now());
      insert into mended select n, '张三' from generate_series(1, 50) n`);
    await withExchange('mended', 'changed', async (exchange) => {
      await exchange.publish();
      await client.query(`update mended set "姓名" = '名字太长了', changed = clock_timestamp() where id = 9`);
      const broken = await exchange.publish();
      expect(broken.outcome).toMatchObject({ outcome: 'published', version: 2, rowsQuarantined: 1 });
      expect(broken.run.changes).toMatchObject({ updated: 0, stale: 1 });
      expect((await exchange.rows()).get(9)).toBe('张三');
      const stale = (await exchange.manifest()).segments[0]!.parts.flatMap((part) => part.stale ?? []);
      expect(stale).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
      // It stays flagged where nothing is said of it, and where everything is read again.
      expect((await exchange.publish()).outcome).toMatchObject({ outcome: 'unchanged' });
      expect((await exchange.publish({ reading: { full: true } })).outcome).toMatchObject({ outcome: 'unchanged' });
      await client.query(`update mended set "姓名" = '李四', changed = clock_timestamp() where id = 9`);
      const mended = await exchange.publish();
      expect(mended.run.changes).toMatchObject({ updated: 1, stale: 0 });
      expect((await exchange.rows()).get(9)).toBe('李四');
    });
  });

  test('a deleted row is gone with the next full refresh; a range that is read again is put over what is there', async () => {
    await client.query(`
      create table ranged (id bigint primary key, "姓名" text, seq bigint not null);
      insert into ranged select n, '张三', n from generate_series(1, 60) n`);
    await withExchange('ranged', 'seq', async (exchange) => {
      const { run } = await exchange.publish();
      expect(run.position).toBe('60');
      // A correction that forgot to move the cursor is not seen by the next run, and is by a backfill.
      await client.query(
        `update ranged set "姓名" = '李四' where id between 10 and 12; delete from ranged where id = 40`,
      );
      expect((await exchange.publish()).outcome).toMatchObject({ outcome: 'unchanged' });
      const backfill = await exchange.publish({ reading: { from: '9', to: '12' } });
      expect(backfill.run).toMatchObject({
        changes: { updated: 3, vanished: 0 },
        position: '60',
        account: { rowsRead: 3 },
      });
      expect((await exchange.rows()).has(40)).toBe(true);
      const full = await exchange.publish({ reading: { full: true } });
      expect(full.run.changes).toMatchObject({ vanished: 1, unchanged: 59 });
      expect((await exchange.rows()).has(40)).toBe(false);
      await expect(exchange.extract({ reading: { from: '9' } })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });
  });
});

describe('the state', () => {
  test('advances with the commit only: a killed run is read again, one built on an older version is FENCED', async () => {
    await client.query(`
      create table killed (id bigint primary key, "姓名" text, seq bigint not null);
      insert into killed select n, '张三', n from generate_series(1, 20) n`);
    await withExchange('killed', 'seq', async (exchange) => {
      await exchange.publish();
      await client.query(`insert into killed values (21, '李四', 21)`);
      const lost = await exchange.extract();
      const next = await exchange.publish();
      expect(next.run).toMatchObject({ position: '21', changes: { inserted: 1 } });
      await expect(exchange.commit(lost)).rejects.toMatchObject({ code: 'FENCED' });
      expect(await exchange.rows()).toEqual(new Map([...people(20), [21, '李四']]));
      // And where only the pointer moved, by whatever means.
      const built = await exchange.extract();
      await exchange.world.catalog('dataset').update({ current_version: 1 });
      await expect(exchange.commit(built)).rejects.toMatchObject({ code: 'FENCED' });
    });
  });

  test('another mode or contract makes the next run a full refresh', async () => {
    await client.query(`
      create table changed_mode (id bigint primary key, "姓名" text, seq bigint not null);
      insert into changed_mode select n, '张三', n from generate_series(1, 20) n`);
    await withExchange('changed_mode', 'seq', async (exchange) => {
      await exchange.define({ mode: { kind: 'snapshot' } });
      expect((await exchange.publish()).run).toMatchObject({ mode: null, changes: null });
      await exchange.define({ mode: { kind: 'upsert', cursor: 'seq', buckets: 4 } });
      const full = await exchange.publish();
      expect([full.report.incremental, (await exchange.manifest()).buckets?.count]).toMatchObject([{ full: true }, 4]);
      await exchange.define({ mode: { kind: 'upsert', cursor: 'seq', buckets: 8 } });
      expect((await exchange.publish()).report.incremental).toMatchObject({ full: true, buckets: { count: 8 } });
      expect(await exchange.rows()).toEqual(people(20));
    });
  });
});

describe('late commits', () => {
  test('of a transaction whose time is older than rows already committed are not skipped (dlt#2269)', async () => {
    await client.query(
      `create table late_time (id bigint primary key, "姓名" text, changed timestamptz default now())`,
    );
    await withExchange('late_time', 'changed', async (exchange) => {
      await client.query(`insert into late_time values (1, 'a')`);
      // Its now() is taken here; another with a later one commits before it.
      const early = await openTransaction(`select now()`);
      await client.query(`insert into late_time values (2, 'b')`);
      await exchange.publish();
      const second = await openTransaction(`insert into late_time values (4, 'd')`);
      await early.commit();
      await client.query(`insert into late_time values (5, 'e')`);
      await exchange.publish();
      await second.commit();
      await exchange.publish();
      expect([...(await exchange.rows()).keys()].sort()).toEqual([1, 2, 4, 5]);
    });
  });

  test('of a lower sequence number are not skipped, though higher ones are in the same snapshot (airbyte#85918)', async () => {
    await client.query(`create table late_number (id bigint primary key, "姓名" text, seq bigserial)`);
    await withExchange('late_number', 'seq', async (exchange) => {
      await client.query(`insert into late_number values (1, 'a')`);
      await exchange.publish();
      const late = await openTransaction(`insert into late_number values (2, 'b')`);
      await client.query(`insert into late_number values (3, 'c')`);
      const between = await exchange.publish();
      expect(between.run.position).toBe('1');
      await late.commit();
      const after = await exchange.publish();
      expect(after.run).toMatchObject({ position: '3', changes: { inserted: 2 } });
      expect([...(await exchange.rows()).keys()].sort()).toEqual([1, 2, 3]);
    });
  });

  test('where the source cannot tell, a lag is demanded', async () => {
    await client.query(`
      create table viewed (id bigint primary key, "姓名" text, changed timestamptz default now() - interval '1 hour', t text);
      insert into viewed (id) values (1);
      create view a_view as select * from viewed`);
    await withExchange('a_view', 'changed', async (exchange) => {
      await expect(exchange.publish()).rejects.toMatchObject({ code: 'CURSOR_UNSAFE' });
      await exchange.define({ mode: { kind: 'upsert', cursor: 't' } });
      await expect(exchange.publish()).rejects.toMatchObject({ code: 'CURSOR_UNSAFE' });
      await exchange.define({ mode: { kind: 'upsert', cursor: 'changed', lagSeconds: 60 } });
      expect((await exchange.publish()).run.changes).toMatchObject({ inserted: 1 });
      await exchange.define({ mode: { kind: 'changes' } });
      await expect(exchange.publish()).rejects.toMatchObject({ code: 'CAPTURE_UNAVAILABLE' });
    });
  });
});
