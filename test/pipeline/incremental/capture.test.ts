/** Change capture from a real PostgreSQL to versions: whatever happened in whatever portions, the bytes are those of a full read. */
import fc from 'fast-check';
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

async function withExchange(
  table: string,
  body: (exchange: Exchange) => Promise<void>,
  mode: { changesMax?: number; lagBytesMax?: number } = {},
): Promise<void> {
  await client.query(`drop table if exists ${table}; create table ${table} (id bigint primary key, "姓名" text);
    alter table ${table} replica identity full; alter table ${table} alter "姓名" set storage external`);
  const exchange = await openExchange(
    { connector: postgres as Connector, config: { url: source.url } },
    {
      table: { schema: 'public', name: table },
      columns: ['id', '姓名'],
      mode: { kind: 'changes', buckets: 4, ...mode },
      tolerance: { quarantinedShareMax: 1 },
    },
  );
  try {
    await body(exchange);
  } finally {
    await exchange.define({ mode: { kind: 'snapshot' } });
    await exchange.publish({ confirm: true });
    await exchange.close();
  }
}

const digests = async (exchange: Exchange) =>
  (await exchange.manifest()).segments.flatMap(({ parts }) => parts.map(({ bucket, digest }) => [bucket, digest]));

const id = fc.integer({ min: 1, max: 12 });
/** Of at most three characters, as the contract wants; longer ones are quarantined, one is stored out of line. */
const name = fc.constantFrom('张三', '李', '', null, '名字太长', '长'.repeat(3_000));
const statement: fc.Arbitrary<[sql: string, values: unknown[]]> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(id, name).map(put) },
  { weight: 2, arbitrary: id.map((key): [string, unknown[]] => ['delete from history where id = $1', [key]]) },
  { weight: 2, arbitrary: fc.tuple(id, id).map(move) },
  { weight: 1, arbitrary: fc.constant<[string, unknown[]]>(['truncate history', []]) },
);
const transaction = fc.record({
  statements: fc.array(statement, { minLength: 1, maxLength: 5 }),
  aborted: fc.boolean(),
});
const step = fc.oneof(
  { weight: 3, arbitrary: transaction.map((done) => ({ done })) },
  { weight: 2, arbitrary: fc.constantFrom('publish' as const, 'kill' as const) },
);

function put([key, text]: [number, string | null]): [string, unknown[]] {
  return [`insert into history values ($1, $2) on conflict (id) do update set "姓名" = excluded."姓名"`, [key, text]];
}

function move([from, to]: [number, number]): [string, unknown[]] {
  const free = 'not exists (select from history h where h.id = $2)';
  return [`update history set id = $2 where id = $1 and ${free}`, [from, to]];
}

async function play(statements: [string, unknown[]][], aborted: boolean): Promise<void> {
  await client.query('begin');
  for (const [sql, values] of statements) await client.query(sql, values);
  await client.query(aborted ? 'rollback' : 'commit');
}

/** The source's rows that keep the contract. */
async function goodRows(): Promise<Map<number, string | null>> {
  const { rows } = await client.query('select id, "姓名" as name from history where coalesce(length("姓名"), 0) <= 3');
  return new Map(rows.map((row) => [Number(row.id), row.name]));
}

describe('change capture from PostgreSQL', () => {
  test('random histories (aborts, truncate, moved keys, large values, killed runs) end in the bytes of a full refresh', async () => {
    await withExchange('history', async (exchange) => {
      await exchange.publish({ confirm: true });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
          for (const one of steps) {
            if (one === 'kill') await exchange.extract();
            else if (one === 'publish') await exchange.publish({ confirm: true });
            else await play(one.done.statements, one.done.aborted);
          }
          const { run } = await exchange.publish({ confirm: true });
          const { rowsRead, rowsPublished, rowsQuarantined } = run.account!;
          expect(rowsRead).toBe(rowsPublished + rowsQuarantined);
          const { inserted, updated, unchanged, deleted, stale } = run.changes!;
          expect(rowsPublished).toBe(inserted + updated + unchanged + deleted);
          const rows = await exchange.rows();
          const good = await goodRows();
          // Rows whose newest state is in quarantine stay as they were, and are flagged: no more, no less.
          const old = [...rows.keys()].filter((key) => !good.has(key));
          expect(old).toHaveLength(stale);
          expect(new Map([...rows].filter(([key]) => good.has(key)))).toEqual(good);
          const before = await digests(exchange);
          const full = await exchange.publish({ reading: { full: true }, confirm: true });
          expect(full.report.incremental?.full).toBe(true);
          expect(await digests(exchange)).toEqual(before);
        }),
        { numRuns: 2 },
      );
    });
  });

  test('a slot is acknowledged by the run after the commit; beyond the lag it is dropped, and everything is read again', async () => {
    await withExchange(
      'lagging',
      async (exchange) => {
        await client.query(`insert into lagging values (1, '张三'), (2, '李四')`);
        await exchange.publish({ confirm: true });
        const flushed = async () =>
          (
            await client.query(`select confirmed_flush_lsn::text as lsn from pg_replication_slots
             where database = current_database() and slot_name like 'huitong_%'`)
          ).rows[0]?.lsn;
        const begun = await flushed();
        await client.query(`update lagging set "姓名" = '王五' where id = 1; delete from lagging where id = 2`);
        const lost = await exchange.extract({ confirm: true });
        expect(await flushed()).toBe(begun);
        const second = await exchange.publish({ confirm: true });
        expect(second.report.parts).toEqual(lost.report.parts);
        expect(second.run.changes).toMatchObject({ updated: 1, deleted: 1, inserted: 0 });
        expect(await flushed()).toBe(begun);
        const third = await exchange.publish({ confirm: true });
        expect(third.outcome.outcome).toBe('unchanged');
        expect(await flushed()).toBe(second.run.position?.split(' ')[0]);

        await client.query(`insert into lagging values (3, '来')`);
        // The log is the whole server's, other tests' too: more than they write meanwhile.
        await client.query(
          `select pg_logical_emit_message(false, '', repeat('x', 1048576)) from generate_series(1, 129)`,
        );
        const behind = await exchange.publish({ confirm: true });
        expect(behind.report.incremental?.full).toBe(true);
        const code = 'CAPTURE_LOST';
        expect(behind.report.plan).toMatchObject({
          source: { restarted: { code, message: expect.stringMatching(/134217728/) } },
        });
        expect(await exchange.rows()).toEqual(
          new Map([
            [1, '王五'],
            [3, '来'],
          ]),
        );
        // A column that changes its meaning without a word in the log.
        await client.query('alter table lagging drop column "姓名"; alter table lagging add column "姓名" text');
        expect((await exchange.publish({ confirm: true })).report.incremental?.full).toBe(true);
        expect(await exchange.rows()).toEqual(
          new Map([
            [1, null],
            [3, null],
          ]),
        );
      },
      { lagBytesMax: 128 * 1_048_576 },
    );
    const { rows } = await client.query('select from pg_replication_slots where database = current_database()');
    expect(rows).toHaveLength(0);
  });
});
