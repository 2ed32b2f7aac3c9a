/** What a real MariaDB proves and the conformance kit does not ask. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../../connectors/connector.ts';
import type { MysqlConfig } from '../../../connectors/mysql/config.ts';
import { mysql } from '../../../connectors/mysql/index.ts';
import { generateBoxKeys } from '../../../lib/sealed-box.ts';
import { extract } from '../../../pipeline/extract.ts';
import { httpStagingClient } from '../../../pipeline/http-staging.ts';
import { withStaging } from '../../pipeline/staging-server.ts';
import { execute, type MariadbServer, mariadbMissing, startMariadb } from '../../support/mariadb.ts';
import { makeIdentity } from '../../support/tds/identity.ts';
import { fillTorture } from './fixture.ts';
import { quiet, readPlan, readTexts } from './support.ts';

const title = `a real MariaDB${mariadbMissing === undefined ? '' : ` (${mariadbMissing})`}`;
const isGiven = process.env.MYSQL_URL !== undefined;

describe.skipIf(mariadbMissing !== undefined)(title, () => {
  const database = `huitong_${randomUUID().slice(0, 8)}`;
  const identity = isGiven ? undefined : makeIdentity();
  const folder = mkdtempSync(join(tmpdir(), 'huitong-mysql-tls-'));
  let server: MariadbServer;
  let url: string;
  let config: MysqlConfig;
  const run = (...sql: string[]) => execute(url, ...sql);
  const request = (name: string) => ({ table: { name } });

  beforeAll(async () => {
    server = await startMariadb(identity === undefined ? [] : tlsSettings(folder, identity));
    await execute(server.url(), `create database ${database} character set utf8mb4`);
    url = server.url(database);
    config = { url };
  });

  afterAll(async () => {
    await execute(server.url(), `drop database ${database}`);
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test.skipIf(isGiven)('every cell of every type is what the mariadb client prints', async () => {
    const { expected } = await fillTorture(url);
    const { told, rows } = await tortureAsPrinted();
    expect(rows.length).toBe(Object.values(expected)[0]?.length);
    expect(Object.keys(expected)).toEqual(told);
    const printed = Object.fromEntries(told.map((name, i) => [name, rows.map((row) => row[i])]));
    // Columns that the client prints as Arrow's cells are shown.
    const numbers = 'tinyint|smallint|mediumint|int|bigint|decimal_(9|15|16|30|38|65_30)';
    const words = 'char|varchar|tinytext|text|mediumtext|longtext|enum|set|json|inet4|inet6|uuid|time';
    const alike = new RegExp(`^c\\d+_(${numbers}|${words})(_|$)`);
    const same = told.filter((name) => alike.test(name) && !name.includes('zerofill'));
    expect(same.length).toBeGreaterThan(25);
    const { texts } = await readTexts(config, request('torture'));
    for (const name of same) expect(texts[name], name).toEqual(printed[name]);
  });

  test('discover tells what the database guarantees: enum labels, lengths, simple checks', async () => {
    await run(
      `create table promised (
        id int primary key, kind enum('新','b''c','') not null, name varchar(20), code char(6), note text,
        age int check (age between 0 and 150), rate decimal(5,2) check (rate > -1.5), level int check (level in (1,2,3)),
        born date check (born >= '1900-01-01'), short text check (char_length(short) <= 5),
        bytes text check (length(bytes) <= 5), status varchar(10) check (status in ('open','closed')),
        either int check (either = 1 or either > 5), a int, b int, check (a < b), check (a >= 1 and b <= 9))`,
      'create view promised_view as select kind, name from promised',
    );
    const found = await mysql.discover(config, quiet());
    const guarantees = (name: string) =>
      Object.fromEntries(
        found.find((table) => table.name === name)?.columns.map((column) => [column.name, column.guarantees]) ?? [],
      );
    expect(guarantees('promised')).toEqual({
      id: undefined,
      kind: { enum: ['新', "b'c", ''] },
      name: { maxLength: 20 },
      code: { maxLength: 6 },
      note: undefined,
      age: { minimum: 0, maximum: 150 },
      rate: { exclusiveMinimum: -1.5 },
      level: { enum: [1, 2, 3] },
      born: { formatMinimum: '1900-01-01' },
      short: { maxLength: 5 },
      bytes: undefined,
      // 'OPEN' and 'open ' are equal to 'open' there.
      status: { maxLength: 10 },
      either: undefined,
      a: { minimum: 1 },
      b: { maximum: 9 },
    });
    expect(guarantees('promised_view')).toEqual({ kind: { enum: ['新', "b'c", ''] }, name: { maxLength: 20 } });
  });

  async function tortureAsPrinted() {
    const { port, host } = server;
    const args = [
      '--no-defaults',
      `--host=${host}`,
      `--port=${port}`,
      '--user=root',
      '--batch',
      '--default-character-set=utf8mb4',
    ];
    const text = execFileSync('mariadb', [...args, database, '--execute=select * from torture'], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const [head = '', ...lines] = text.trimEnd().split('\n');
    // Batch mode escapes what would break a line or a field.
    const plain: Record<string, string> = { t: '\t', n: '\n', '\\': '\\', 0: '\0' };
    const cell = (field: string) =>
      field === 'NULL' ? null : field.replaceAll(/\\([tn0\\])/g, (_, character: string) => plain[character] ?? '');
    return { told: head.split('\t'), rows: lines.map((line) => line.split('\t').map(cell)) };
  }

  test('numbers, text and times come back as they were written, whatever they are', async () => {
    await run(
      'create table round_trip (n int primary key, a bigint unsigned, b decimal(38,7), c varchar(200), d datetime(6), e double)',
    );
    const quote = (text: string) => `convert(x'${Buffer.from(text).toString('hex')}' using utf8mb4)`;
    const second = 253_402_300_799n;
    const row = fc.tuple(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.bigInt({ min: -30_000_000_000n, max: second }),
      fc.integer({ min: 0, max: 999_999 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 150 }), async (rows) => {
        const values = rows.map(([a, b, c, seconds, micros, e], n) => {
          const digits = `${b < 0n ? -b : b}`.padStart(8, '0');
          const decimal = `${b < 0n ? '-' : ''}${digits.slice(0, -7)}.${digits.slice(-7)}`;
          const time = `timestamp'1970-01-01 00:00:00' + interval ${seconds} second + interval ${micros} microsecond`;
          return `(${n}, ${a}, ${decimal}, ${quote(c)}, ${time}, ${e})`;
        });
        await run('delete from round_trip', `insert into round_trip values ${values.join(', ')}`);
        const told = await run('select n, a, b, c, d, e from round_trip order by n');
        const { texts } = await readTexts(config, request('round_trip'));
        expect(texts.a).toEqual(rows.map(([a]) => String(a)));
        expect(texts.b).toEqual(told.map((one) => one.b));
        expect(texts.c).toEqual(rows.map(([, , c]) => c));
        expect(texts.d).toEqual(told.map((one) => one.d?.replace(/\.?0+$/, '')));
        expect(texts.e?.map(Number)).toEqual(rows.map(([, , , , , e]) => e + 0));
      }),
      { numRuns: 5, verbose: 1 },
    );
  });

  test('a byte without a character is reported, not turned into a question mark', async () => {
    await run(
      `create table gbk (id int, word varchar(20) character set gbk)`,
      `insert into gbk values (1, '汇通?'), (2, _gbk x'BBE3AAA1'), (3, null), (4, '')`,
    );
    const [told] = await run('select convert(word using utf8mb4) as word from gbk where id = 2');
    expect(told?.word).toBe('汇?');
    const { texts, unrepresentable } = await readTexts(config, request('gbk'));
    expect(texts.word).toEqual(['汇通?', null, null, '']);
    expect(unrepresentable).toEqual([{ row: 1, column: 1, code: 'INVALID_TEXT' }]);
  });

  test('tables without transactions, and views that may read one, say that their versions mix states', async () => {
    await run(
      'create table safe (id int) engine=innodb',
      'create view over_safe as select * from safe',
      'create table loose (id int) engine=myisam',
      'create view over_loose as select * from loose',
    );
    const snapshot = await mysql.openSnapshot(config, quiet());
    const guaranteeOf = async (name: string) =>
      (await mysql.plan(snapshot, request(name), { partitions: 4 })).guarantee;
    expect(await guaranteeOf('safe')).toBe('transaction');
    expect([await guaranteeOf('loose'), await guaranteeOf('over_loose')]).toEqual(['none', 'none']);
    const { steps } = await mysql.check(config, quiet());
    expect(steps.at(-1)).toMatchObject({ name: 'snapshot', ok: true, message: expect.stringMatching(/MyISAM/) });
    await run('drop view over_loose', 'drop table loose');
    expect(await guaranteeOf('over_safe')).toBe('transaction');
    await snapshot.close();
  });

  test('a DBA sees who reads, and what is read cannot be written', async () => {
    const { openConnection } = await import('../../../connectors/mysql/connection.ts');
    const { beginReading } = await import('../../../connectors/mysql/snapshot.ts');
    const connection = await openConnection(config, { ...quiet(), label: 'huitong/health.residents/*/1' });
    try {
      await beginReading(connection);
      const [row] = await connection.query(
        'select info as info from information_schema.processlist where id = connection_id()',
      );
      expect(row?.info).toMatch(/^\/\* huitong\/health\.residents\/\* \/1 \*\/ select info/);
      await run('create table if not exists untouched (id int)');
      await expect(connection.query('insert into untouched values (1)')).rejects.toMatchObject({
        code: 'SOURCE_FAILED',
      });
    } finally {
      await connection.close();
    }
  });

  describe('cursors', () => {
    const windowed = async (name: string, window: { column: string; after?: string; upTo: string }) =>
      (await readTexts(config, { ...request(name), window })).texts.id;
    const boundOf = async (name: string, column: string, lagSeconds: number, as = config) => {
      const snapshot = await mysql.openSnapshot(as, quiet());
      try {
        return await mysql.cursorBound?.(snapshot, request(name), { column, lagSeconds });
      } finally {
        await snapshot.close();
      }
    };

    test('microseconds are neither skipped nor read twice, and rows without a time come first', async () => {
      await run(
        'create table seen (id int, at datetime(6), utc timestamp(6) null)',
        `insert into seen values (1, '2024-01-01 00:00:00.000001', null), (2, '2024-01-01 00:00:00.000002', null),
           (3, null, null), (4, '2024-01-01 00:00:00.000003', now(6)), (5, now(6) + interval 1 hour, now(6))`,
      );
      const first = '2024-01-01 00:00:00.000002';
      expect(await windowed('seen', { column: 'at', upTo: first })).toEqual(['1', '2', '3']);
      expect(await windowed('seen', { column: 'at', after: first, upTo: '9999-12-31 00:00:00' })).toEqual(['4', '5']);
      expect(await boundOf('seen', 'at', 60)).toBe('2024-01-01 00:00:00.000003');
      // Younger than the lag; without one it is there.
      expect(await boundOf('seen', 'utc', 3_600)).toBeUndefined();
      expect(await boundOf('seen', 'utc', 0)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
    });

    test('a number that was given out before a commit is waited for, or nothing is read', async () => {
      await run('create table counted (id int auto_increment primary key)', 'insert into counted values (), ()');
      const { createConnection } = await import('mysql2/promise');
      const writer = await createConnection({ uri: url });
      try {
        await writer.query('start transaction');
        await writer.query('insert into counted values ()');
        await run('insert into counted values ()');
        expect(await boundOf('counted', 'id', 0)).toBeUndefined();
        const waiting = boundOf('counted', 'id', 30);
        await writer.query('commit');
        expect(await waiting).toBe('4');
      } finally {
        await writer.end();
      }
      expect(await windowed('counted', { column: 'id', after: '2', upTo: '4' })).toEqual(['3', '4']);
    });

    test('an open transaction is seen however lately anybody looked at the server’s list, which it keeps for 100 ms', async () => {
      await run('create table watched (id int auto_increment primary key)');
      const { createConnection } = await import('mysql2/promise');
      const [writer, monitor] = [await createConnection({ uri: url }), await createConnection({ uri: url })];
      try {
        for (let i = 0; i < 5; i++) {
          await monitor.query('select trx_id from information_schema.innodb_trx');
          await writer.query('start transaction');
          await writer.query('insert into watched values ()');
          await run('insert into watched values ()');
          expect(await boundOf('watched', 'id', 0)).toBeUndefined();
          await writer.query('commit');
          expect(await boundOf('watched', 'id', 30)).toBe(String(2 * i + 2));
        }
      } finally {
        await writer.end();
        await monitor.end();
      }
    });

    test('without PROCESS a number is refused, a time is not', async () => {
      const user = `plain_${randomUUID().slice(0, 8)}`;
      await run(`create user ${user} identified by 'x'`, `grant select on ${database}.* to ${user}`);
      const as = { host: server.host, port: server.port, database, user, password: 'x' };
      await run('create table both_kinds (id int, at datetime)', `insert into both_kinds values (1, '2024-01-01')`);
      await expect(boundOf('both_kinds', 'id', 0, as)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      expect(await boundOf('both_kinds', 'at', 0, as)).toBe('2024-01-01 00:00:00');
      await run(`drop user ${user}`);
    });

    test('a position is a value and never SQL; text is no cursor', async () => {
      await run('create table guarded (id int, word varchar(9))', `insert into guarded values (1, 'a')`);
      for (const window of [
        { column: 'id', upTo: '1 or 1=1' },
        { column: 'word', upTo: 'a' },
      ]) {
        await expect(windowed('guarded', window)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      }
      await expect(windowed('guarded', { column: 'no', upTo: '1' })).rejects.toMatchObject({
        code: 'COLUMN_NOT_FOUND',
      });
      expect(await windowed('guarded', { column: 'id', upTo: '1' })).toEqual(['1']);
    });
  });

  describe('what goes wrong on the way', () => {
    beforeAll(async () => {
      await run(
        'create table long_table (id int primary key, filler varchar(200))',
        `insert into long_table with recursive n(i) as (select 1 union all select i + 1 from n where i < 900) select a.i * 1000 + b.i, repeat('x', 200) from n a, n b where a.i <= 50`,
        // Rows at first, then silence.
        'create view stalling as select id, if(id < 20000, 0, benchmark(1000000000, sha2(filler, 512))) as cost, filler from long_table',
        'create view failing as select id, filler, if(id < 40000, 1, (select 1 union select 2)) as one from long_table',
      );
    });

    test('a changed or missing table is SCHEMA_DRIFT', async () => {
      await run('create table drifting (id int)', 'insert into drifting values (1)');
      const snapshot = await mysql.openSnapshot(config, quiet());
      const plan = await mysql.plan(snapshot, request('drifting'), { partitions: 1 });
      await snapshot.close();
      expect((await readPlan(config, plan)).texts).toEqual({ id: ['1'] });
      await run('alter table drifting modify id bigint');
      await expect(readPlan(config, plan)).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
      await run('drop table drifting');
      await expect(readPlan(config, plan)).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
    });

    test('an error among the rows is told by its number and without a cell', async () => {
      const error: unknown = await readTexts(config, request('failing')).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringMatching(/error 1242/) });
    });

    test('a connection that is killed among its rows is SOURCE_UNREACHABLE, and never fewer rows', async () => {
      const snapshot = await mysql.openSnapshot(config, quiet());
      const plan = await mysql.plan(snapshot, request('long_table'), { partitions: 1 });
      await snapshot.close();
      const [partition] = plan.partitions;
      if (partition === undefined) throw new Error('a plan without partitions');
      const reading = async () => {
        const batches = mysql.read(
          config,
          { plan, partition, batchRowsMax: 100, batchBytesMax: 1 << 20 },
          { ...quiet(), label: 'huitong/victim' },
        );
        let isKilled = false;
        for await (const _ of batches) {
          if (isKilled) continue;
          isKilled = true;
          const [row] = await run(`select id from information_schema.processlist where info like '/* huitong/victim%'`);
          await run(`kill ${row?.id}`);
        }
      };
      await expect(reading()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    });

    test('a statement beyond its time, and a silence among the rows, are SOURCE_TIMEOUT', async () => {
      const slow = readTexts({ ...config, statementTimeoutMs: 300 }, request('stalling'));
      await expect(slow).rejects.toMatchObject({
        code: 'SOURCE_TIMEOUT',
        message: expect.not.stringMatching(/silent/),
      });
      const silent = readTexts({ ...config, idleTimeoutMs: 500 }, request('stalling'));
      await expect(silent).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT', message: expect.stringMatching(/silent/) });
    });
  });

  test.skipIf(identity === undefined)(
    'TLS: the certificate and its name are verified, and rows come through it',
    async () => {
      const secure = { host: 'localhost', port: server.port, database, user: 'root' };
      const ca = identity?.cert ?? '';
      await run('create table if not exists secret (id int)', 'insert into secret values (7)');
      expect((await readTexts({ ...secure, ssl: { ca } }, request('secret'))).texts).toEqual({ id: ['7'] });
      const refused = [true, { ca, serverName: 'elsewhere.example' }];
      for (const ssl of refused) {
        expect((await mysql.check({ ...secure, ssl }, quiet())).steps.at(-1)).toMatchObject({
          ok: false,
          code: 'SOURCE_TLS',
        });
      }
      const { texts } = await readTexts({ ...secure, ssl: { verify: false } }, request('secret'));
      expect(texts).toEqual({ id: ['7'] });
    },
  );

  test('a dataset is published from it: good rows, bad rows, totals', async () => {
    await run(
      'create table 居民 (id bigint primary key, name varchar(40), age int, income decimal(12,2), born date)',
      `insert into 居民 with recursive n(i) as (select 1 union all select i + 1 from n where i < 900)
         select (a.i - 1) * 900 + b.i, concat('居民', b.i), if(b.i = 1, -1, b.i % 90), a.i / 7, date'2000-01-01' from n a, n b where a.i <= 20`,
      `set sql_mode = ''`,
    );
    await run(`update 居民 set born = '0000-00-00' where id = 5`);
    const assignment = {
      runId: 'run-1',
      dataset: 'health.residents',
      department: 'health',
      source: { code: 'health.db', kind: 'mysql', connection: { url } },
      table: { name: '居民' },
      contract: {
        version: '1.0.0',
        key: ['id'],
        type: 'object',
        properties: {
          id: { type: 'integer' },
          name: { type: 'string' },
          age: { type: 'integer', minimum: 0 },
          income: { type: 'number' },
          born: { type: 'string', format: 'date' },
        },
      },
      plan: { partitions: 2, controlTotals: true },
      quarantineKey: generateBoxKeys().publicKey,
    };
    await withStaging(assignment, async (staging) => {
      const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
      const connector = mysql as Connector;
      const { report } = await extract({ session, connector, config: { url }, signal: new AbortController().signal });
      expect(report).toMatchObject({
        rowsRead: 18_000,
        rowsPublished: 18_000 - 21,
        quarantinedByCode: { MINIMUM: 20 },
        guarantee: 'transaction',
      });
      const [row] = await run(`select sum(id) as id from 居民 where age >= 0 and id <> 5`);
      expect(report.sums.id).toBe(row?.id);
      expect(report.controlTotals?.rows).toBe(18_000);
    });
  });
});

function tlsSettings(folder: string, identity: { key: string; cert: string }): string[] {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  // The server may run as another user.
  chmodSync(folder, 0o755);
  writeFileSync(key, identity.key, { mode: 0o644 });
  writeFileSync(cert, identity.cert, { mode: 0o644 });
  return [`--ssl-key=${key}`, `--ssl-cert=${cert}`];
}
