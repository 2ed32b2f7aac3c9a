import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { limits } from '../../../lib/limits.ts';
import { segmentsToCompact } from '../../../pipeline/incremental/append.ts';
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

async function withExchange(table: string, cursor: string, body: (exchange: Exchange) => Promise<void>): Promise<void> {
  const exchange = await openExchange(
    { connector: postgres as Connector, config: { url: source.url } },
    { table: { schema: 'public', name: table }, columns: ['id', '姓名'], mode: { kind: 'append', cursor } },
  );
  try {
    await body(exchange);
  } finally {
    await exchange.close();
  }
}

describe('append by cursor', () => {
  test('a version adds its own segment; a key that an earlier segment has is quarantined as DUPLICATE_KEY', async () => {
    await client.query(`
      create table appended (id bigint, "姓名" text, seq bigserial);
      insert into appended (id, "姓名") select n, '张三' from generate_series(1, 100) n`);
    await withExchange('appended', 'seq', async (exchange) => {
      await exchange.publish();
      const base = await exchange.manifest();
      expect((await exchange.publish()).outcome).toMatchObject({ outcome: 'unchanged', version: 1 });

      await client.query(
        `insert into appended (id, "姓名") values (101, '李四'), (7, '又来'), (102, '王五'), (101, '再来')`,
      );
      const second = await exchange.publish();
      expect(second.run).toMatchObject({
        mode: 'append',
        position: '104',
        account: { rowsRead: 4, rowsPublished: 2, rowsQuarantined: 2 },
        quarantinedByCode: { DUPLICATE_KEY: 2 },
        changes: { inserted: 2, vanished: 0 },
      });
      const next = await exchange.manifest();
      expect(next.segments.slice(0, 1)).toEqual(base.segments);
      expect(next.segments).toHaveLength(2);
      expect(next.rows).toBe(102);
      const rows = await exchange.rows();
      expect([rows.size, rows.get(7), rows.get(101)]).toEqual([102, '张三', '李四']);

      const full = await exchange.publish({ reading: { full: true } });
      expect(full.run).toMatchObject({ changes: { inserted: 102, vanished: 102 }, position: '104' });
      expect(await exchange.rows()).toEqual(rows);
      expect((await exchange.manifest()).sums).toEqual(next.sums);
    });
  });

  test('where the cursor is the key, nothing earlier is read; a late commit is not skipped', async () => {
    await client.query(`create table journal (id bigserial primary key, "姓名" text)`);
    await withExchange('journal', 'id', async (exchange) => {
      await client.query(`insert into journal ("姓名") values ('a')`);
      await exchange.publish();
      const late = new pg.Client(source.url);
      await late.connect();
      await late.query('begin');
      await late.query(`insert into journal ("姓名") values ('b')`);
      await client.query(`insert into journal ("姓名") values ('c')`);
      expect((await exchange.publish()).outcome).toMatchObject({ outcome: 'unchanged' });
      await late.query('commit');
      await late.end();
      const { report } = await exchange.publish();
      expect(report).toMatchObject({ rowsRead: 2, plan: { keyUniqueness: 'kept by the source' } });
      expect([...(await exchange.rows()).values()]).toEqual(['a', 'b', 'c']);
    });
  });

  test('small segments are made one, in their order, and lose nothing', async () => {
    await client.query(`create table trickle (id bigserial primary key, "姓名" text)`);
    await withExchange('trickle', 'id', async (exchange) => {
      const { segmentsCompactMin } = limits;
      Object.assign(limits, { segmentsCompactMin: 2 });
      try {
        for (const segments of [1, 2, 1]) {
          await client.query(`insert into trickle ("姓名") values ('甲'), ('乙')`);
          await exchange.publish();
          expect((await exchange.manifest()).segments).toHaveLength(segments);
        }
      } finally {
        Object.assign(limits, { segmentsCompactMin });
      }
      expect((await exchange.manifest()).segments[0]!.parts).toMatchObject([{ rows: 6 }]);
      expect([...(await exchange.rows()).keys()]).toEqual([1, 2, 3, 4, 5, 6]);
    });
  });

  test('only trailing segments that are small are made one, and only many of them', () => {
    const segment = (sizeBytes: number) => ({ parts: [{ sizeBytes }] });
    const small = (count: number) => Array.from({ length: count }, () => segment(1_000));
    const large = segment(limits.segmentBytesSmall);
    expect(segmentsToCompact([large, ...small(limits.segmentsCompactMin - 1)])).toBe(0);
    expect(segmentsToCompact([large, ...small(limits.segmentsCompactMin)])).toBe(limits.segmentsCompactMin);
    expect(segmentsToCompact([...small(40), large])).toBe(0);
  });
});
