/** What SQL is sent for cursors; that it is right, a real server says where MSSQL_URL is set. */
import { expect, test } from 'vitest';
import { mssql } from '../../../connectors/mssql/index.ts';
import { answerAs, type FakeTable } from '../../support/tds/database.ts';
import * as tds from '../../support/tds/types.ts';
import { quiet, readTable, withDatabase } from './support.ts';

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
