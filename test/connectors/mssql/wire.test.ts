/** What goes wrong on the way, and what must then still hold. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { mssql } from '../../../connectors/mssql/index.ts';
import { isHuitongError } from '../../../lib/errors.ts';
import { answerAs, type FakeDatabase, type FakeTable } from '../../support/tds/database.ts';
import { makeIdentity } from '../../support/tds/identity.ts';
import type { Reply, TdsQuery } from '../../support/tds/server.ts';
import * as tokens from '../../support/tds/tokens.ts';
import * as tds from '../../support/tds/types.ts';
import { CANARY, configFor, quiet, readTable, readTexts, withDatabase } from './support.ts';

const id = { name: 'id', declared: 'int', type: tds.integer(4) };
const table = { name: 't' };
/** Longer than any machine takes from one packet to the next. */
const IDLE_MS = 1_000;

function sending(send: FakeTable['send'], more: Partial<FakeDatabase> = {}): FakeDatabase {
  return { tables: [{ name: 't', columns: [id], send }], ...more };
}

async function sendRows(reply: Reply, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await reply.row([String(i)]);
}

test('a database that allows it is read in a SNAPSHOT transaction; another is labelled', async () => {
  for (const [snapshotIsolation, guarantee] of [
    [true, 'transaction'],
    [false, 'none'],
  ] as const) {
    const queries: string[] = [];
    const database = { tables: [{ name: 't', columns: [id], rows: [['1']] }], snapshotIsolation };
    await withDatabase(
      database,
      async (config) => {
        const snapshot = await mssql.openSnapshot(config, quiet());
        const plan = await mssql.plan(snapshot, { table }, { partitions: 4 });
        expect([snapshot.guarantee, plan.guarantee, plan.partitions.length]).toEqual([guarantee, guarantee, 1]);
        await snapshot.close();
        queries.length = 0;
        expect((await readTexts(config, { table })).rows).toEqual([['1']]);
        const began = queries.filter((sql) => sql === 'begin transaction').length;
        const isolated = queries.filter((sql) => sql === 'set transaction isolation level snapshot').length;
        expect([began, isolated]).toEqual(snapshotIsolation ? [2, 2] : [0, 0]);
      },
      { onQuery: ({ sql }: TdsQuery) => queries.push(sql) },
    );
  }
});

test('totals are exact, in the column’s own scale', async () => {
  const amount = { name: 'amount', declared: 'decimal(20,4)', type: tds.decimal(20, 4) };
  const rows = [
    ['2147483647', '-9007199254740993.0001'],
    ['2147483647', null],
  ];
  await withDatabase({ tables: [{ name: 't', columns: [id, amount], rows }] }, async (config) => {
    const snapshot = await mssql.openSnapshot(config, quiet());
    const totals = await snapshot.controlTotals({ table });
    await snapshot.close();
    expect(totals).toEqual({ rows: 2, sums: { id: '4294967294', amount: '-9007199254740993.0001' } });
  });
});

test('discover tells tables, keys, types and Chinese comments; the label reaches the server', async () => {
  const logins: string[] = [];
  const columns = [
    { ...id, nullable: false, comment: '编号' },
    { name: '金额', declared: 'decimal(10,2)', type: tds.decimal(10, 2), comment: '以元计' },
    { name: '缴费人', declared: 'nvarchar(20)', type: tds.nvarchar(20), nullable: false },
    { name: '说明', declared: 'nvarchar(max)', type: tds.nvarchar('max') },
  ];
  const keys = [{ columns: ['id'], primary: true }, { columns: ['金额'] }];
  await withDatabase(
    { tables: [{ name: '收费', columns, keys, comment: '收费记录', rows: [] }] },
    async (config) => {
      const [found, ...others] = await mssql.discover(config, { ...quiet(), label: 'huitong/收费/0198' });
      expect(others).toEqual([]);
      expect(found).toEqual({
        schema: 'dbo',
        name: '收费',
        kind: 'table',
        comment: '收费记录',
        primaryKey: ['id'],
        uniqueKeys: [['id']],
        rowsEstimate: 0,
        columns: [
          { name: 'id', sourceType: 'int', nullable: false, comment: '编号', arrowType: 'Int32' },
          {
            name: '金额',
            sourceType: 'decimal(10,2)',
            nullable: true,
            comment: '以元计',
            arrowType: expect.stringContaining('Decimal'),
          },
          {
            name: '缴费人',
            sourceType: 'nvarchar(20)',
            nullable: false,
            arrowType: 'Utf8',
            guarantees: { maxLength: 20 },
          },
          { name: '说明', sourceType: 'nvarchar(max)', nullable: true, arrowType: 'Utf8' },
        ],
      });
    },
    { onLogin: ({ application }) => logins.push(application) },
  );
  expect(logins).toEqual(['huitong/收费/0198']);
});

test('an error in the middle of the rows is an error, without the server’s words', async () => {
  const database = sending(async (reply) => {
    await sendRows(reply, 0, 1000);
    await reply.error(245, `Conversion failed when converting the value '${CANARY}'.`);
  });
  await withDatabase(database, async (config) => {
    let rows = 0;
    const count = (size: number) => {
      rows += size;
    };
    const reading = readTable(config, { table }, ({ batch }) => count(batch.numRows), { batchRowsMax: 100 });
    const error: unknown = await reading.catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'SOURCE_FAILED',
      at: '[dbo].[t]',
      message: 'the source failed with error 245',
    });
    expect(isHuitongError(error) && `${error.message} ${error.hint}`).not.toContain(CANARY);
    expect(rows).toBeGreaterThan(0);
  });
});

test('a snapshot or a table that is gone has its own code', async () => {
  const cases = [
    [3960, 'SNAPSHOT_LOST'],
    [3961, 'SCHEMA_DRIFT'],
    [229, 'SOURCE_FORBIDDEN'],
    [1222, 'SOURCE_TIMEOUT'],
    [208, 'SCHEMA_DRIFT'],
  ] as const;
  for (const [number, code] of cases) {
    await withDatabase(
      sending((reply) => reply.error(number, 'no')),
      async (config) => {
        await expect(
          readTable(config, { table }, () => {}),
          String(number),
        ).rejects.toMatchObject({ code });
      },
    );
  }
});

test('a connection that breaks among the rows is SOURCE_UNREACHABLE, and the process lives', async () => {
  const database = sending(async (reply) => {
    await sendRows(reply, 0, 50_000);
    await reply.flush();
    reply.drop();
  });
  await withDatabase(database, async (config, server) => {
    await expect(readTable(config, { table }, () => {})).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await expect.poll(() => server.connections).toBe(0);
  });
});

test('a connection that breaks while nothing is asked is noticed by the snapshot', async () => {
  await withDatabase({ tables: [] }, async (config, server) => {
    const snapshot = await mssql.openSnapshot(config, quiet());
    await snapshot.assertAlive();
    await server.close();
    await expect(snapshot.assertAlive()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
    await snapshot.close();
  }).catch((cause: unknown) => expect(cause).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' }));
});

test('silence among the rows ends after idleTimeoutMs; a slow reader is not silence', async () => {
  const silent = sending(async (reply) => {
    await sendRows(reply, 0, 10);
    await reply.sleep(60_000);
  });
  await withDatabase(silent, async (config) => {
    const reading = readTable({ ...config, idleTimeoutMs: IDLE_MS }, { table }, () => {});
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
  });
  const many = sending((reply) => sendRows(reply, 0, 60_000));
  await withDatabase(many, async (config) => {
    let rows = 0;
    const slow = async (size: number) => {
      rows += size;
      if (rows === 20_000) await new Promise((resolve) => setTimeout(resolve, 2.5 * IDLE_MS));
    };
    const cut = { batchRowsMax: 20_000 };
    await readTable({ ...config, idleTimeoutMs: IDLE_MS }, { table }, ({ batch }) => slow(batch.numRows), cut);
    expect(rows).toBe(60_000);
  });
});

test('silence right after a batch was full, when reading goes on, ends after idleTimeoutMs', async () => {
  const silent = sending(async (reply) => {
    // Rows of 6 bytes; 128 KiB are gathered before they are decoded, so that the very last packet fills the batch.
    await sendRows(reply, 0, 21_600);
    await reply.flush();
    await sendRows(reply, 21_600, 22_000);
    await reply.sleep(60_000);
  });
  await withDatabase(silent, async (config) => {
    const batches: number[] = [];
    const take = async (size: number) => {
      batches.push(size);
      // Everything that will come has come by then.
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    const cut = { batchRowsMax: 20_000 };
    const reading = readTable(
      { ...config, idleTimeoutMs: IDLE_MS },
      { table },
      ({ batch }) => take(batch.numRows),
      cut,
    );
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
    expect(batches).toEqual([20_000]);
  });
});

test('a source that does not answer ends after statementTimeoutMs', async () => {
  const database = sending(async () => {});
  const answer = answerAs(database);
  const hang = (query: TdsQuery, reply: Reply) =>
    query.sql.endsWith('from [dbo].[t]') ? reply.sleep(60_000) : answer(query, reply);
  await withDatabase(
    database,
    async (config) => {
      const reading = readTable({ ...config, statementTimeoutMs: 200 }, { table }, () => {});
      await expect(reading).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
    },
    { answer: hang },
  );
});

test('a reader that waits stops the source: only so much is sent ahead', async () => {
  const filler = { name: 'filler', declared: 'nvarchar(1000)', type: tds.nvarchar(1000) };
  const text = 'x'.repeat(1000);
  let sent = 0;
  const send = async (reply: Reply) => {
    for (; sent < 100_000 && !reply.signal.aborted; sent++) await reply.row([String(sent), text]);
  };
  await withDatabase({ tables: [{ name: 't', columns: [id, filler], send }] }, async (config) => {
    const stop = new AbortController();
    const untilStill = async () => {
      for (let before = -1; before !== sent; ) {
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      stop.abort();
    };
    const reading = readTable(config, { table }, untilStill, { batchRowsMax: 1000 }, stop.signal);
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    // 200 MB are there to be sent; sockets and packets hold a few.
    expect(sent).toBeGreaterThan(1_000);
    expect(sent).toBeLessThan(20_000);
  });
});

test('attention stops the server within a second, and the connection is ended', async () => {
  let stopped = 0;
  const stop = new AbortController();
  const database = sending(async (reply) => {
    setTimeout(() => stop.abort(), 200);
    for (let i = 0; !reply.signal.aborted; i++) {
      await sendRows(reply, i, i + 1);
      await reply.sleep(10);
    }
    stopped = Date.now();
  });
  await withDatabase(database, async (config, server) => {
    await expect(readTable(config, { table }, () => {}, {}, stop.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => server.connections).toBe(0);
    expect(stopped).toBeGreaterThan(0);
  });
});

test('a caller that stops half-way leaves no connection behind', async () => {
  await withDatabase(
    sending((reply) => sendRows(reply, 0, 200_000)),
    async (config, server) => {
      const snapshot = await mssql.openSnapshot(config, quiet());
      const plan = await mssql.plan(snapshot, { table }, { partitions: 1 });
      await snapshot.close();
      const request = { plan, partition: { table: plan.table }, batchRowsMax: 100, batchBytesMax: 1e6 };
      for await (const { batch } of mssql.read(config, request, quiet())) {
        expect(batch.numRows).toBe(100);
        break;
      }
      await expect.poll(() => server.connections).toBe(0);
    },
  );
});

test('tokens among the rows go to the driver, in packets of any size', async () => {
  const database = sending(async (reply) => {
    await reply.token(tokens.order([1]));
    await sendRows(reply, 0, 10);
    await reply.token(tokens.info('a message'));
    await reply.token(tokens.envChange(2, Buffer.from([0]), Buffer.from([0])));
    await sendRows(reply, 10, 20);
  });
  for (const size of [1, 3, 8, 4088]) {
    await withDatabase(
      database,
      async (config) => {
        const { rows } = await readTexts(config, { table });
        expect(rows).toEqual(Array.from({ length: 20 }, (_, i) => [String(i)]));
      },
      { bodyBytes: () => size },
    );
  }
});

test('another type at reading than at planning is SCHEMA_DRIFT, which names the column', async () => {
  const database = { tables: [{ name: 't', columns: [{ ...id }], rows: [['1']] }] };
  await withDatabase(database, async (config) => {
    const snapshot = await mssql.openSnapshot(config, quiet());
    const plan = await mssql.plan(snapshot, { table }, { partitions: 1 });
    await snapshot.close();
    for (const column of database.tables[0]?.columns ?? []) column.type = tds.integer(8);
    const request = { plan, partition: { table: plan.table }, batchRowsMax: 100, batchBytesMax: 1e6 };
    const reading = mssql.read(config, request, quiet()).next();
    await expect(reading).rejects.toMatchObject({ code: 'SCHEMA_DRIFT', message: expect.stringContaining('id') });
  });
});

const identity = makeIdentity();

test.skipIf(identity === undefined)('over TLS the rows are the same; an unknown certificate is refused', async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => [String(i), '汇'.repeat(i % 40)]);
  const columns = [id, { name: 'filler', declared: 'nvarchar(50)', type: tds.nvarchar(50) }];
  await withDatabase(
    { tables: [{ name: 't', columns, rows }] },
    async (config, server) => {
      const trusting = configFor(server, { encrypt: true, ca: identity?.cert, serverName: 'localhost' });
      expect((await readTexts(trusting, { table })).rows).toEqual(rows);
      await expect(readTexts({ ...config, encrypt: true }, { table })).rejects.toMatchObject({ code: 'SOURCE_TLS' });
      await expect(readTexts(config, { table })).rejects.toMatchObject({ code: 'SOURCE_TLS' });
    },
    { tls: identity },
  );
});

test('a server without TLS never sees the login, unless encrypt is off', async () => {
  const users: string[] = [];
  await withDatabase(
    { tables: [] },
    async (config) => {
      const asking = mssql.openSnapshot({ ...config, encrypt: true }, quiet());
      await expect(asking).rejects.toMatchObject({ code: 'SOURCE_TLS' });
      expect(users).toEqual([]);
      await (await mssql.openSnapshot(config, quiet())).close();
      expect(users).toEqual(['reader']);
    },
    { onLogin: ({ user }) => users.push(user) },
  );
});

test('no error holds the password, in whatever depth', async () => {
  await withDatabase({ tables: [] }, async (config) => {
    const attempts = [
      { ...config, password: `${CANARY}!` },
      { ...config, encrypt: true },
      { url: `mssql://reader:${encodeURIComponent(CANARY)}@127.0.0.1:1/health` },
      { url: `mssql://reader:${CANARY}%zz@nowhere` },
    ];
    for (const attempt of attempts) {
      const error: unknown = await mssql.openSnapshot(attempt, quiet()).catch((cause: unknown) => cause);
      expect(isHuitongError(error)).toBe(true);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(CANARY);
    }
  });
});
