/** The demo's copy to SQL Server: what is sent, to a server that speaks the protocol. What SQL Server makes of it, MSSQL_URL says. */

import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { parseDistrict } from '../../catalog/district/parse.ts';
import { connectionTarget } from '../../connectors/mssql/config.ts';
import { openConnection } from '../../connectors/mssql/connection.ts';
import { copyToSqlServer, sqlServerOverlay, sqlServerSources } from '../../runtime/demo/sql-server.ts';
import { readDistrictFolder } from '../../schemas/definition/read-folder.ts';
import { createDatabase } from '../support/postgres.ts';
import { answerAs } from '../support/tds/database.ts';
import { makeIdentity } from '../support/tds/identity.ts';
import { type Reply, type TdsQuery, withTdsServer } from '../support/tds/server.ts';

const root = join(import.meta.dirname, '..', '..');
const district = join(root, 'districts', 'longhua');
const state = { secret: async (name: string) => `secret-of-${name}` };
const identity = makeIdentity();

const TABLE = `
  create table 合同 (
    编号 text primary key, serial bigint not null, area numeric(7, 2), since date, filed timestamp, verified boolean,
    progress real, milestones jsonb
  );
  insert into 合同
    select 'C' || n, 9007199254740993 + n, n / 7.0, '2026-01-31', '2026-01-31 08:00:00.123456', n % 2 = 0, 0.1,
           '{"n": "''"}'
    from generate_series(1, 1500) n;
  insert into 合同 values ('空', 0, null, null, null, null, null, null);`;

test('three departments or more are on SQL Server, by definitions that are otherwise the same', async () => {
  const [files, overlay] = await Promise.all([readDistrictFolder(district), sqlServerOverlay(district)]);
  expect(Object.keys(overlay).every((path) => path in files)).toBe(true);
  expect((await sqlServerSources(district)).toSorted()).toEqual(['education', 'housing', 'projects']);
  const parsed = parseDistrict({ ...files, ...overlay });
  expect(parsed.problems).toEqual([]);
  const plain = parseDistrict(files).district;
  const on = parsed.district;
  const kinds = on?.sources.filter(({ kind }) => kind === 'mssql');
  expect(new Set(kinds?.map(({ department }) => department)).size).toBeGreaterThanOrEqual(3);
  for (const source of kinds ?? []) {
    const before = plain?.sources.find(({ code }) => code === source.code);
    expect({ ...source, kind: 'postgres', connection: { url: source.connection.url } }).toEqual(before);
    expect(connectionTarget({ ...source.connection, url: 'mssql://u:p@h/d' })).toMatchObject({ database: 'd' });
  }
});

describe.skipIf(identity === undefined)(`copying${identity === undefined ? ' (skipped: no openssl)' : ''}`, () => {
  test('each cell goes as PostgreSQL’s own text, into a column of the type that holds it', async () => {
    const sent = await copied(TABLE);
    const [create] = sent.filter(({ sql }) => sql.startsWith('create table'));
    expect(create?.sql).toBe(
      'create table [public].[合同] ([编号] nvarchar(450) not null, [serial] bigint not null, [area] decimal(7,2) null, ' +
        '[since] date null, [filed] datetime2(6) null, [verified] bit null, [progress] real null, ' +
        '[milestones] nvarchar(max) null, primary key ([编号]))',
    );
    const inserts = sent.filter(({ sql }) => sql.startsWith('insert into [public].[合同] ('));
    expect(inserts[0]?.sql).toContain(`from openjson(@p0) with ([编号] nvarchar(450) '$[0]', [serial] bigint '$[1]'`);
    const rows = inserts.flatMap(({ parameters }) => JSON.parse(parameters.p0 ?? '') as (string | null)[][]);
    expect(inserts).toHaveLength(2);
    expect(rows).toHaveLength(1_501);
    expect(rows).toContainEqual([
      ...['C7', '9007199254741000', '1.00', '2026-01-31', '2026-01-31 08:00:00.123456', 'false', '0.1'],
      `{"n": "'"}`,
    ]);
    expect(rows).toContainEqual(['空', '0', null, null, null, null, null, null]);
  });

  test('the reader’s login reads, and has no other right; the whole is made anew', async () => {
    const texts = (await copied(TABLE)).map(({ sql }) => sql);
    expect(texts[0]).toMatch(/^if db_id\(@p0\) is not null/);
    expect(texts.filter((sql) => sql.includes('huitong_reader'))).toEqual([
      "if suser_id(N'huitong_reader') is not null drop login [huitong_reader]",
      "create login [huitong_reader] with password = N'secret-of-sqlserver-huitong_readeraA1!', check_policy = off",
      'create user [huitong_reader] for login [huitong_reader]',
      'alter role db_datareader add member [huitong_reader]',
    ]);
  });

  test('a type that is not copied is named, with its column', async () => {
    await expect(copied('create table t (a integer, b inet)')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      at: 'public.t.b',
    });
  });
});

const { MSSQL_URL } = process.env;

test.skipIf(MSSQL_URL === undefined)(
  `a real SQL Server holds the same cells${MSSQL_URL === undefined ? ' (skipped: MSSQL_URL is not set)' : ''}`,
  async () => {
    const database = await createDatabase();
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      await client.query(TABLE);
      const readerUrl = database.url.replace(/\/\/[^@]*@/, '//huitong_reader:x@');
      const filled = { source: 's', department: 'd', variable: 'V', kind: 'PostgreSQL', schemas: ['public'] };
      const options = { url: MSSQL_URL as string, state, onCopied: () => {} };
      const { readerUrl: url } = await copyToSqlServer({ ...filled, adminUrl: database.url, readerUrl }, options);
      const context = { signal: new AbortController().signal, label: 'huitong/test', loopbackAllowed: true };
      const reader = await openConnection({ url, trustServerCertificate: true }, context);
      const sql = `select count(*) over () as n, cast(serial as varchar(30)) as serial, cast(area as varchar(30)) as area,
                          convert(varchar(30), filed, 121) as filed, milestones
                   from [public].[合同] order by case 编号 when N'C7' then 0 else 1 end`;
      expect((await reader.query(sql))[0]).toEqual({
        ...{ n: 1_501, serial: '9007199254741000', area: '1.00', filed: '2026-01-31 08:00:00.123456' },
        milestones: `{"n": "'"}`,
      });
      await expect(reader.query('delete from [public].[合同]')).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await reader.close();
    } finally {
      await client.end();
      await database.drop();
    }
  },
);

/** Fills a database with `script`, copies it, and gives the batches that the server was sent. */
async function copied(script: string) {
  const database = await createDatabase();
  const client = new pg.Client(database.url);
  await client.connect();
  const sent: TdsQuery[] = [];
  const server = {
    users: { sa: 'pw' },
    databases: ['master', new URL(database.url).pathname.slice(1)],
    tls: identity,
    // What a connection asks for itself is answered; all else is taken note of.
    answer: async (query: TdsQuery, reply: Reply) => {
      if (query.sql.startsWith('select')) await answerAs({ tables: [] })(query, reply);
      else sent.push(query);
    },
  };
  try {
    await client.query(script);
    const readerUrl = database.url.replace(/\/\/[^@]*@/, '//huitong_reader:x@');
    const filled = { source: 's', department: 'd', variable: 'V', kind: 'PostgreSQL', schemas: ['public'] };
    await withTdsServer(server, async ({ port }) => {
      const url = `mssql://sa:pw@127.0.0.1:${port}/master`;
      const onCopied = () => {};
      const there = await copyToSqlServer({ ...filled, adminUrl: database.url, readerUrl }, { url, state, onCopied });
      expect(there.kind).toBe('SQL Server');
      const reader = new URL(there.readerUrl);
      expect([reader.protocol, reader.username, reader.pathname]).toEqual([
        'mssql:',
        'huitong_reader',
        new URL(database.url).pathname,
      ]);
    });
    return sent;
  } finally {
    await client.end();
    await database.drop();
  }
}
