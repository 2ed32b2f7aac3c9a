/**
 * Change Tracking: what SQL is sent, and what comes of its answers, on the wire; a real server has the last word, where
 * MSSQL_URL is set.
 */
import { randomUUID } from 'node:crypto';
import type { Vector } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderCell } from '../../../connectors/conformance/render.ts';
import { type CaptureRequest, changeOperations, type SourceCapture } from '../../../connectors/connector.ts';
import type { MssqlConfig } from '../../../connectors/mssql/config.ts';
import { type Connection, openConnection } from '../../../connectors/mssql/connection.ts';
import { mssql } from '../../../connectors/mssql/index.ts';
import { answerAs, type FakeTable } from '../../support/tds/database.ts';
import * as tds from '../../support/tds/types.ts';
import { quiet, withDatabase } from './support.ts';

const capture = mssql.capture as SourceCapture<MssqlConfig>;
const operationNames = Object.keys(changeOperations);
const table: FakeTable = {
  name: 'visits',
  columns: [
    { name: 'id', declared: 'bigint', type: tds.fixed(0x7f, tds.integer(8)), nullable: false },
    { name: 'name', declared: 'nvarchar(20)', type: tds.nvarchar(20) },
  ],
  rows: [],
  keys: [{ columns: ['id'], primary: true }],
};
const request: CaptureRequest = { table: { name: 'visits' }, name: 'huitong_test', key: ['id'] };

interface Tracked {
  current?: string | null;
  oldest?: string | null;
  /** What sys.columns says of a column. */
  fact?: string;
  changes?: [id: string, name: string | null, operation: string][];
  snapshotIsolation?: boolean;
}

/** Runs `body` against a server with one table and these changes; gives the queries for changes that it was asked. */
async function withTracked(
  tracked: Tracked,
  body: (config: MssqlConfig) => Promise<void>,
  fake: FakeTable = table,
): Promise<string[]> {
  const asked: string[] = [];
  const database = { tables: [fake], snapshotIsolation: true };
  const text = tds.nvarchar(200);
  const answer = (
    query: Parameters<ReturnType<typeof answerAs>>[0],
    reply: Parameters<ReturnType<typeof answerAs>>[1],
  ) => answerAs({ ...database, snapshotIsolation: tracked.snapshotIsolation ?? true })(query, reply);
  await withDatabase(database, body, {
    answer: async (query, reply) => {
      const { sql } = query;
      if (sql.includes('change_tracking_current_version')) {
        await reply.columns(['current_version', 'oldest_version'].map((name) => ({ name, type: text })));
        await reply.row([tracked.current ?? null, tracked.oldest ?? null]);
      } else if (sql.includes('concat(c.column_id')) {
        await reply.columns(['name', 'fact'].map((name) => ({ name, type: text })));
        for (const [i, { name }] of fake.columns.entries())
          await reply.row([name, `${i}/${tracked.fact ?? 'as it was'}`]);
      } else if (sql.includes('changetable(')) {
        asked.push(sql);
        await reply.columns([
          { name: 'id', type: tds.integer(8) },
          { name: 'name', type: tds.nvarchar(20) },
          { name: '__operation', type: tds.integer(1) },
        ]);
        for (const cells of tracked.changes ?? []) await reply.row(cells);
      } else await answer(query, reply);
    },
  });
  return asked;
}

async function changesOf(config: MssqlConfig, after: string, what = request, batchRowsMax = 1000) {
  const snapshot = await mssql.openSnapshot(config, quiet());
  const plan = structuredClone(await mssql.plan(snapshot, what, { partitions: 1 }));
  await snapshot.close();
  const rows: (string | null)[][] = [];
  let position: string | undefined;
  const limits = { changesMax: 10, batchRowsMax, batchBytesMax: 1 << 20 };
  for await (const told of capture.readChanges(config, { capture: what, plan, after, ...limits }, quiet())) {
    for (let row = 0; row < told.batch.numRows; row++) {
      const cells = told.batch.schema.fields.map((_, i) => renderCell(told.batch.getChildAt(i) as Vector, row));
      rows.push([operationNames[told.operations[row]!]!, ...cells]);
    }
    position = told.position ?? position;
  }
  return { rows, position };
}

async function startedAt(config: MssqlConfig, what = request): Promise<string> {
  const { position, snapshot } = await capture.start(config, what, quiet());
  await snapshot.close();
  return position;
}

describe('Change Tracking', () => {
  test('keys that changed are joined with the table in one SNAPSHOT transaction; a deleted row has its key only', async () => {
    const asked = await withTracked(
      {
        current: '9007199254740993',
        oldest: '0',
        changes: [
          ['1', '张三', `${changeOperations.update}`],
          ['2', null, `${changeOperations.delete}`],
          ['3', null, `${changeOperations.update}`],
        ],
      },
      async (config) => {
        const after = await startedAt(config);
        expect(after).toMatch(/^9007199254740993 [0-9a-f]{16}$/);
        expect(await capture.lag(config, request, after, quiet())).toEqual({ readable: true });
        const told = await changesOf(config, after, request, 2);
        expect(told).toEqual({
          rows: [
            ['update', '1', '张三'],
            ['delete', '2', null],
            ['update', '3', null],
          ],
          position: after,
        });
      },
    );
    expect(asked).toEqual([
      "select [id], [name], __operation from (select c.[id], t.[name], cast(case c.SYS_CHANGE_OPERATION when N'D' then 2 " +
        'else 1 end as tinyint) as __operation from changetable(changes [dbo].[visits], 9007199254740993) as c ' +
        'left join [dbo].[visits] as t on t.[id] = c.[id]) as changed',
    ]);
  });

  test('nothing changed: an empty batch with the position that was reached', async () => {
    await withTracked({ current: '8', oldest: '3' }, async (config) => {
      const after = (await startedAt(config)).replace('8 ', '5 ');
      expect(await changesOf(config, after)).toEqual({ rows: [], position: after.replace('5 ', '8 ') });
    });
  });

  test('a position older than the retention, or a table truncated since: CAPTURE_LOST, never half of the changes', async () => {
    await withTracked({ current: '8', oldest: '6' }, async (config) => {
      const after = (await startedAt(config)).replace('8 ', '5 ');
      expect(await capture.lag(config, request, after, quiet())).toEqual({ readable: false });
      await expect(changesOf(config, after)).rejects.toMatchObject({ code: 'CAPTURE_LOST' });
      await expect(changesOf(config, '0x07D1')).rejects.toMatchObject({ code: 'CAPTURE_LOST' });
    });
  });

  test('a column dropped and added again is another one: SCHEMA_DRIFT', async () => {
    let after = '';
    await withTracked({ current: '8', oldest: '0' }, async (config) => {
      after = await startedAt(config);
    });
    await withTracked({ current: '9', oldest: '0', fact: 'another' }, async (config) => {
      expect(await capture.lag(config, request, after, quiet())).toEqual({ readable: false });
      await expect(changesOf(config, after)).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
    });
  });

  test('what the administrator must run is told: tracking, SNAPSHOT isolation, the primary key', async () => {
    const code = 'CAPTURE_UNAVAILABLE';
    await withTracked({}, async (config) => {
      const message = expect.stringContaining('alter table [dbo].[visits] enable change_tracking');
      await expect(startedAt(config)).rejects.toMatchObject({ code, message });
    });
    await withTracked({ current: '1', oldest: '0', snapshotIsolation: false }, async (config) => {
      const message = expect.stringContaining('allow_snapshot_isolation on');
      await expect(startedAt(config)).rejects.toMatchObject({ code, message });
    });
    await withTracked({ current: '1', oldest: '0' }, async (config) => {
      const message = expect.stringContaining('is not the primary key (id)');
      await expect(startedAt(config, { ...request, key: ['name'] })).rejects.toMatchObject({ code, message });
      await expect(startedAt(config)).resolves.toMatch(/^1 /);
    });
  });
});

const url = process.env.MSSQL_URL;
const title = `Change Tracking of a real SQL Server${url === undefined ? ' (skipped: MSSQL_URL is not set)' : ''}`;

describe.skipIf(url === undefined)(title, () => {
  const config: MssqlConfig = { url: url ?? '', trustServerCertificate: true };
  const name = `huitong 表 ${randomUUID()}`;
  const what: CaptureRequest = { table: { schema: 'dbo', name }, name: 'huitong_test', key: ['id'] };
  let connection: Connection;

  beforeAll(async () => {
    connection = await openConnection(config, quiet());
    await connection.query(
      `if not exists (select * from sys.change_tracking_databases where database_id = db_id())
         alter database current set change_tracking = on (change_retention = 1 days)`,
    );
    await connection.query('alter database current set allow_snapshot_isolation on');
    await connection.query(`create table dbo.[${name}] (id bigint not null primary key, t datetime2(7), g geometry)`);
    await connection.query(`alter table dbo.[${name}] enable change_tracking`);
  });
  afterAll(async () => {
    await connection.query(`drop table dbo.[${name}]`);
    await connection.close();
  });

  test('inserts, updates, deletes and moved keys are told as they are now; truncate ends it', async () => {
    const after = await startedAt(config, what);
    await connection.query(
      `insert into dbo.[${name}] values (1, '2026-03-01 00:00:00.1234567', null), (2, null, null)`,
    );
    await connection.query(
      `insert into dbo.[${name}] values (3, null, null); update dbo.[${name}] set id = 4 where id = 2`,
    );
    const { rows, position } = await changesOf(config, after, what);
    const operations = new Map(rows.map(([operation, id]) => [id, operation]));
    expect([...operations].sort()).toEqual([
      ['1', 'update'],
      ['2', 'delete'],
      ['3', 'update'],
      ['4', 'update'],
    ]);
    expect((await changesOf(config, position!, what)).rows).toEqual([]);
    await connection.query(`truncate table dbo.[${name}]`);
    expect(await capture.lag(config, what, position!, quiet())).toEqual({ readable: false });
  });
});
