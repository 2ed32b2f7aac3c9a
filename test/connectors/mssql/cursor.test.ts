/** What SQL is sent for cursors, and what comes of it; a real server has the last word, where MSSQL_URL is set. */
import { expect, test } from 'vitest';
import type { MssqlConfig } from '../../../connectors/mssql/config.ts';
import { mssql } from '../../../connectors/mssql/index.ts';
import { answerAs, type FakeTable } from '../../support/tds/database.ts';
import type { Reply, TdsQuery } from '../../support/tds/server.ts';
import * as tds from '../../support/tds/types.ts';
import { quiet, readTable, readTexts, withDatabase, withPlain } from './support.ts';
import { changes } from './tables.ts';

const table: FakeTable = {
  name: 'visits',
  columns: [
    { name: 'id', declared: 'bigint', type: tds.integer(8), nullable: false },
    { name: 'changed', declared: 'datetime2(7)', type: tds.nvarchar(50) },
    { name: 'version', declared: 'timestamp', type: tds.nvarchar(50) },
  ],
  rows: [],
};
const BOUND = '2026-03-01 00:00:00.1234567';

/** Runs `body` against a server that gives `BOUND`, and gives what it was asked for rows. */
async function asked(body: Parameters<typeof withDatabase<void>>[1]): Promise<string[]> {
  const sent: string[] = [];
  const answer = answerAs({ tables: [table], snapshotIsolation: true });
  await withDatabase({ tables: [table] }, body, {
    answer: async (query, reply) => {
      if (query.sql.includes('from [dbo].[visits] where') && !query.sql.includes('1 = 0')) sent.push(query.sql);
      if (!query.sql.includes(' as bound ')) return answer(query, reply);
      await reply.columns([{ name: 'bound', type: tds.nvarchar(50) }]);
      await reply.row([BOUND]);
    },
  });
  return sent;
}

async function bound(cursor: { column: string; lagSeconds: number; after?: string }): Promise<string[]> {
  return asked(async (config) => {
    const snapshot = await mssql.openSnapshot(config, quiet());
    try {
      expect(await mssql.cursorBound!(snapshot, { table: { name: 'visits' }, columns: ['id'] }, cursor)).toBe(BOUND);
    } finally {
      await snapshot.close();
    }
  });
}

test('a rowversion stays below what is still open; positions are the server’s text with every digit (sling#471)', async () => {
  expect(await bound({ column: 'version', lagSeconds: 0, after: '0x00000000000007D1' })).toEqual([
    'select convert(nvarchar(50), max(cast([version] as binary(8))), 1) as bound from [dbo].[visits] ' +
      "where [version] < min_active_rowversion() and [version] > convert(binary(8), N'0x00000000000007D1', 1)",
  ]);
});

test('a time needs a lag, and an identity is no cursor', async () => {
  expect(await bound({ column: 'changed', lagSeconds: 90 })).toEqual([
    'select convert(nvarchar(50), max([changed]), 121) as bound from [dbo].[visits] ' +
      'where [changed] <= cast(dateadd(second, -90, sysdatetime()) as datetime2(7))',
  ]);
  await expect(bound({ column: 'changed', lagSeconds: 0 })).rejects.toMatchObject({ code: 'CURSOR_UNSAFE' });
  await expect(bound({ column: 'id', lagSeconds: 90 })).rejects.toMatchObject({ code: 'CURSOR_UNSAFE' });
  await expect(bound({ column: 'gone', lagSeconds: 90 })).rejects.toMatchObject({ code: 'COLUMN_NOT_FOUND' });
});

test('a window is read, and counted, as the positions say', async () => {
  const window = { column: 'changed', after: '2026-01-01 00:00:00.0000001', upTo: BOUND };
  const where =
    "([changed] > convert(datetime2(7), N'2026-01-01 00:00:00.0000001', 121)" +
    ` and [changed] <= convert(datetime2(7), N'${BOUND}', 121))`;
  const request = { table: { name: 'visits' }, columns: ['id'], window };
  const sent = await asked(async (config) => {
    await readTable(config, request, () => {});
    const snapshot = await mssql.openSnapshot(config, quiet());
    try {
      expect(await snapshot.controlTotals(request)).toMatchObject({ rows: 0 });
    } finally {
      await snapshot.close();
    }
  });
  expect(sent).toHaveLength(2);
  expect(sent[0]).toBe(`select [id] from [dbo].[visits] where ${where}`);
  expect(sent[1]).toContain(`count_big(*)`);
  expect(sent[1]).toContain(`from [dbo].[visits] where ${where}`);
});

/** Reads window after window, as runs do, until nothing is new; the ids in the order they came in. */
async function readAll(config: MssqlConfig, name: string, column: string, lagSeconds: number): Promise<string[][]> {
  const request = { table: { schema: 'dbo', name } };
  const windows: string[][] = [];
  for (let after: string | undefined; windows.length < 50; ) {
    const snapshot = await mssql.openSnapshot(config, quiet());
    const cursor = { column, lagSeconds, ...(after === undefined ? {} : { after }) };
    const upTo = await mssql.cursorBound!(snapshot, request, cursor).finally(() => snapshot.close());
    if (upTo === undefined) break;
    const window = { column, upTo, ...(after === undefined ? {} : { after }) };
    const { rows } = await readTexts(config, { ...request, window });
    windows.push(rows.map(([id]) => id ?? ''));
    after = upTo;
  }
  return windows;
}

test('cursors on datetime2(7) neither loop for ever nor skip a row (sling#471, #366); those of plain mssql do', async () => {
  // Rows that are new while we read: the server's clock moves on by one tick of 100 ns a question.
  const moment = { now: '2026-03-01 00:01:00.1234560', minActiveRowversion: '0x0000000000000000' };
  const answer = answerAs({ tables: [changes], moment });
  const moving = async (query: TdsQuery, reply: Reply) => {
    if (query.sql.includes(' as bound ')) {
      const digit = Math.min(9, Number(moment.now.slice(-1)) + 3);
      moment.now = moment.now.slice(0, -1) + digit;
    }
    await answer(query, reply);
  };
  await withDatabase(
    { tables: [changes] },
    async (config) => {
      const windows = await readAll(config, 'changes', 'changed', 60);
      expect(windows).toEqual([
        ['0', '1', '2'],
        ['3', '4', '5'],
        ['6', '7', '8'],
      ]);
      const last = '2026-03-01 00:00:00.1234569';
      await withPlain(config, async (pool) => {
        const newest = await pool.request().query<{ changed: Date }>('select [changed] from [dbo].[changes]');
        const position = newest.recordset.at(-1)?.changed.toISOString().slice(0, -1).replace('T', ' ');
        expect(position).toBe('2026-03-01 00:00:00.123');
        const above = (text: string) =>
          `select [id] from [dbo].[changes] where [changed] > convert(datetime2(7), N'${text}', 121)`;
        expect((await pool.request().query(above(String(position)))).recordset).toHaveLength(9);
        expect((await pool.request().query(above(last))).recordset).toHaveLength(0);
      });
    },
    { answer: moving },
  );
});

test('rowversion: what is at or above MIN_ACTIVE_ROWVERSION() waits for the next window', async () => {
  const moment = { now: '2026-03-01 00:00:00.0000000', minActiveRowversion: '0x00000000000007D3' };
  const versioned: FakeTable = {
    name: 'versioned',
    columns: [
      { name: 'id', declared: 'bigint', type: tds.integer(8), nullable: false },
      { name: 'version', declared: 'timestamp', type: tds.binary(8), nullable: false },
    ],
    // The fourth committed before the third, which is still open and not seen.
    rows: [
      ['1', '0x00000000000007d1'],
      ['2', '0x00000000000007d2'],
      ['4', '0x00000000000007d4'],
    ],
  };
  await withDatabase({ tables: [versioned], moment }, async (config) => {
    expect(await readAll(config, 'versioned', 'version', 0)).toEqual([['1', '2']]);
    versioned.rows?.splice(2, 0, ['3', '0x00000000000007d3']);
    moment.minActiveRowversion = '0x00000000000007D5';
    expect(await readAll(config, 'versioned', 'version', 0)).toEqual([['1', '2', '3', '4']]);
  });
});
