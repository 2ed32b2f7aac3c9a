/**
 * What the plain driver does to SQL Server's values, beside what is read here: one table, read twice in one run. Each
 * test is a line of the list of traps; those of isolation, broken connections and silence are in
 * wire.test.ts, those of cursors in cursor.test.ts.
 */
import { expect, test } from 'vitest';
import { mssql } from '../../../connectors/mssql/index.ts';
import { limits } from '../../../lib/limits.ts';
import { unsigned } from '../../support/tds/bytes.ts';
import type { FakeColumn, FakeTable } from '../../support/tds/database.ts';
import type { Reply, TdsQuery } from '../../support/tds/server.ts';
import * as tds from '../../support/tds/types.ts';
import { quiet, readTable, readTexts, withDatabase, withPlain } from './support.ts';

const NAME = { schema: 'dbo', name: 't' };

interface Both {
  /** Of `mssql`, by column. */
  plain: Record<string, unknown>;
  ours: Record<string, string | null>;
}

/** The row of `cells`, each of its declared type, by both clients. */
async function readByBoth(cells: { declared: string; type: tds.TdsType; value: string }[]): Promise<Both> {
  const columns: FakeColumn[] = cells.map(({ declared, type }) => ({ name: declared, declared, type }));
  const table: FakeTable = { name: 't', columns, rows: [cells.map(({ value }) => value)] };
  return withDatabase({ tables: [table] }, async (config) => {
    const names = columns.map(({ name }) => `[${name}]`).join(', ');
    const plain = await withPlain(config, (pool) => pool.request().query(`select ${names} from [dbo].[t]`));
    const { names: ownNames, rows } = await readTexts(config, { table: NAME });
    const ours = Object.fromEntries(ownNames.map((name, i) => [name, rows[0]?.[i] ?? null]));
    return { plain: { ...plain.recordset[0] }, ours };
  });
}

test('decimal and money arrive as lossy JavaScript numbers (tedious#732); here every digit', async () => {
  const cells = [
    { declared: 'decimal(38,4)', type: tds.decimal(38, 4), value: '1234567890123456789012345678901234.5678' },
    { declared: 'decimal(19,4)', type: tds.decimal(19, 4), value: '-429496.7296' },
    { declared: 'numeric(28,10)', type: tds.numeric(28, 10), value: '999999999999999999.0000000001' },
    { declared: 'money', type: tds.money(), value: '922337203685477.5807' },
  ];
  const { plain, ours } = await readByBoth(cells);
  expect(plain['decimal(38,4)']).toBe(1.2345678901234568e33);
  expect(plain['numeric(28,10)']).toBe(1e18);
  expect(plain.money).not.toBe('922337203685477.5807');
  expect(String(plain.money)).not.toBe('922337203685477.5807');
  for (const { declared, value } of cells) expect(ours[declared]).toBe(value);
});

test('datetimeoffset loses its offset; here it is the instant and the minutes', async () => {
  const value = '2024-01-01 00:30:00.123456 +08:00';
  const { plain, ours } = await readByBoth([{ declared: 'datetimeoffset(6)', type: tds.datetimeOffset(6), value }]);
  expect(plain['datetimeoffset(6)']).toEqual(new Date('2023-12-31T16:30:00.123Z'));
  expect(ours['datetimeoffset(6)']).toBe('2023-12-31 16:30:00.123456+00|480');
});

test('datetime2(7) and time(7) keep 100 ns only in a hidden property; here in the column, and one beside it', async () => {
  const { plain, ours } = await readByBoth([
    { declared: 'datetime2(7)', type: tds.datetime2(7), value: '2024-05-06 07:08:09.1234567' },
    { declared: 'time(7)', type: tds.time(7), value: '23:59:59.9999999' },
  ]);
  expect(JSON.stringify(plain['datetime2(7)'])).toBe('"2024-05-06T07:08:09.123Z"');
  expect(JSON.stringify(plain['time(7)'])).toBe('"1970-01-01T23:59:59.999Z"');
  expect(ours).toEqual({
    'datetime2(7)': '2024-05-06 07:08:09.123456',
    'datetime2(7)__ns100': '7',
    'time(7)': '23:59:59.9999999',
  });
});

test('sql_variant loses its base type; here type and exact text', async () => {
  const variants = ['int|5', 'smallint|5', 'float|5', 'decimal(20,0)|99999999999999999999', 'money|5.0000'];
  const seen: unknown[] = [];
  for (const value of variants) {
    const { plain, ours } = await readByBoth([{ declared: 'sql_variant', type: tds.sqlVariant(), value }]);
    seen.push(plain.sql_variant);
    expect(ours.sql_variant).toBe(value);
  }
  expect(seen).toEqual([5, 5, 5, 1e20, 5]);
});

test('bigint is a string, which sorts and adds as text; here an Int64', async () => {
  const cell = { declared: 'bigint', type: tds.integer(8), value: '9007199254740993' };
  expect(await readByBoth([cell])).toEqual({
    plain: { bigint: '9007199254740993' },
    ours: { bigint: '9007199254740993' },
  });
  await withDatabase(
    { tables: [{ name: 't', columns: [{ ...cell, name: 'id' }], rows: [[cell.value]] }] },
    async (config) => {
      await readTable(config, { table: NAME }, ({ batch }) => {
        expect(String(batch.schema.fields[0]?.type)).toBe('Int64');
        expect(batch.getChildAt(0)?.get(0)).toBe(9007199254740993n);
      });
    },
  );
});

test('MAX values are wholly buffered; here one that is too large is refused while it is still coming', async () => {
  const chunk = Buffer.alloc(1 << 20, 'a\0');
  let sent = 0;
  let isEnough = false;
  const send = async (reply: Reply) => {
    sent = 0;
    await reply.token(Buffer.concat([unsigned(1, 0xd1), unsigned(8, 0xffff_ffff_ffff_fffen)]));
    for (; !reply.signal.aborted && !isEnough; sent += chunk.length) {
      await reply.token(Buffer.concat([unsigned(4, chunk.length), chunk]));
    }
    await reply.token(unsigned(4, 0));
  };
  const column = { name: 'endless', declared: 'nvarchar(max)', type: tds.nvarchar('max') };
  await withDatabase({ tables: [{ name: 't', columns: [column], send }] }, async (config) => {
    await expect(readTable(config, { table: NAME }, () => {})).rejects.toMatchObject({ code: 'CELL_TOO_LARGE' });
    const refusedAfter = sent;
    expect(refusedAfter).toBeGreaterThan(limits.cellBytesMax);
    await withPlain(config, async (pool) => {
      let hasAnswered = false;
      const asking = pool
        .request()
        .query<{ endless: string }>('select [endless] from [dbo].[t]')
        .finally(() => {
          hasAnswered = true;
        });
      await expect.poll(() => sent).toBeGreaterThan(refusedAfter + (16 << 20));
      expect(hasAnswered).toBe(false);
      isEnough = true;
      expect((await asking).recordset[0]?.endless.length).toBeGreaterThan(limits.cellBytesMax);
    });
  });
});

test('uniqueidentifier and text are compared by the server only, rows are not sorted (sling#447), hierarchyid is asked for as text', async () => {
  const columns = [
    { name: 'id', declared: 'uniqueidentifier', type: tds.uniqueidentifier(), nullable: false },
    { name: 'place', declared: 'hierarchyid', type: tds.nvarchar('max') },
  ];
  const table = { name: 't', columns, rows: [], keys: [{ columns: ['id'], primary: true }] };
  const asked: string[] = [];
  await withDatabase(
    { tables: [table] },
    async (config) => {
      const snapshot = await mssql.openSnapshot(config, quiet());
      try {
        const plan = await mssql.plan(snapshot, { table: NAME }, { partitions: 8 });
        expect(plan).toMatchObject({ partitions: { length: 1 }, description: { order: 'physical' } });
      } finally {
        await snapshot.close();
      }
      await readTable(config, { table: NAME }, () => {});
    },
    { onQuery: ({ sql: text }: TdsQuery) => asked.push(text) },
  );
  const ofRows = asked.filter((text) => text.includes('from [dbo].[t]'));
  expect(ofRows).toContain('select [id], [place].ToString() as [place] from [dbo].[t]');
  for (const text of ofRows) expect(text).not.toMatch(/order by|limit/);
});
