import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Fixture, Prepared, Torture } from '../../../connectors/conformance/kit.ts';
import type { PostgresConfig } from '../../../connectors/postgres/config.ts';
import { limits } from '../../../lib/limits.ts';
import { createDatabase } from '../../support/postgres.ts';
import { execute } from './support.ts';
import { columns, preparation } from './torture.ts';

const WIDE_COLUMNS = 1_600;
const LARGE_ROWS = 20_000;
const names = ['编号', 'Mixed Case', 'quote"inside', "apostrophe's", 'select', '100%'];
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A database and a login that is no superuser, whose password is the canary. */
export async function prepare(): Promise<Prepared<PostgresConfig>> {
  const database = await createDatabase();
  const admin = new URL(database.url);
  const user = `reader_${randomUUID().slice(0, 8)}`;
  const canary = `canary-${randomUUID()}`;
  await fillTables(database.url, user, canary);
  const torture = await fillTorture(database.url);
  await execute(
    database.url,
    `grant select on all tables in schema public to ${user}; revoke select on forbidden from ${user}`,
  );
  const config = {
    host: admin.hostname,
    port: Number(admin.port),
    database: admin.pathname.slice(1),
    user,
    password: canary,
  };
  const table = (name: string) => ({ table: { schema: 'public', name } });
  const fixture: Fixture<PostgresConfig> = {
    config,
    canary,
    failures: failuresOf(config, canary),
    large: { request: table('large'), rows: LARGE_ROWS, idColumn: 'id', partitions: 4 },
    disturb: () => disturb(database.url),
    empty: { request: table('empty'), columns: ['a', 'b'] },
    names: { request: table('大写 "Table"'), columns: names },
    comments: { request: table('commented'), table: '预防接种登记', of: 'id', column: '流水号' },
    wide: { request: table('wide'), columns: WIDE_COLUMNS },
    bigCell: { fits: table('big'), tooLarge: table('bigger'), column: 'content' },
    torture,
    unmapped: { request: table('unmapped'), columns: ['plan', 'key'] },
    missing: [
      { request: table('nowhere'), code: 'TABLE_NOT_FOUND' },
      { request: { table: { schema: 'nowhere', name: 'large' } }, code: 'TABLE_NOT_FOUND' },
      { request: { ...table('large'), columns: ['id', 'Id'] }, code: 'COLUMN_NOT_FOUND' },
      { request: table('forbidden'), code: 'SOURCE_FORBIDDEN' },
    ],
    revoked: {
      request: table('commented'),
      revoke: async () => void (await execute(database.url, `revoke select on commented from ${user}`)),
      restore: async () => void (await execute(database.url, `grant select on commented to ${user}`)),
    },
    cursor: { request: table('visits'), column: 'id', rows: 100 },
    slow: table('slow'),
    busyStatements: () => busyStatements(database.url, user),
  };
  return {
    fixture,
    close: async () => {
      await execute(database.url, `drop owned by ${user}; drop role ${user}`);
      await database.drop();
    },
  };
}

async function fillTables(url: string, user: string, canary: string): Promise<void> {
  const wide = Array.from({ length: WIDE_COLUMNS }, (_, i) => i);
  await execute(
    url,
    `create role ${user} login password '${canary}';
     create table large (id bigint primary key, filler text not null);
     insert into large select i, repeat('x', i % 150) from generate_series(1, ${LARGE_ROWS}) i;
     create table empty (a int, b text);
     create table ${quote('大写 "Table"')} (${names.map((name) => `${quote(name)} int`).join(', ')});
     insert into ${quote('大写 "Table"')} values (${names.map((_, i) => i).join(', ')});
     create table wide (${wide.map((i) => `c${i} smallint`).join(', ')});
     insert into wide values (${wide.join(', ')});
     create table big as select 1 as id, repeat('x', ${limits.cellBytesMax}) as content;
     create table bigger as select 1 as id, repeat('x', ${limits.cellBytesMax + 1}) as content;
     create table unmapped (id int, plan pg_node_tree, key pg_ndistinct);
     create table forbidden (id int);
     create table visits (id bigint primary key);
     insert into visits select generate_series(1, 100);
     grant pg_read_all_stats to ${user};
     create table commented as select 1 as id;
     comment on table commented is '预防接种登记';
     comment on column commented.id is '流水号';
     create view slow as select i, (select count(*) from generate_series(1, 1000000000) j where j > i) from generate_series(1, 9) i;`,
  );
}

async function fillTorture(url: string): Promise<Torture> {
  const rows = Math.max(...columns.map(({ values }) => values.length)) + 1;
  const name = (i: number) => `c${i}_${columns[i]?.type.replaceAll(/\W+/g, '_')}`;
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => (text: string) => text } });
  await client.connect();
  try {
    await client.query(
      `${preparation} create table torture (${columns.map(({ type }, i) => `${name(i)} ${type}`).join(', ')})`,
    );
    for (let row = 0; row < rows; row++) {
      const cells = columns.map(({ values }) => values[row] ?? null);
      const list = columns.map(({ type }, i) => `$${i + 1}::text::${type}`).join(', ');
      await client.query(`insert into torture values (${list})`, cells);
    }
    await client.query(`set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'`);
    const { rows: texts } = await client.query('select * from torture');
    const override = columns.flatMap(({ override }, i) => (override ? [[name(i), override] as const] : []));
    return {
      request: { table: { name: 'torture' }, overrides: Object.fromEntries(override) },
      expected: Object.fromEntries(
        columns.map((column, i) => [name(i), texts.map((r) => expectedText(column, r[name(i)]))]),
      ),
      unrepresentable: columns.flatMap(({ values, refused }, i) =>
        values.flatMap((value, row) => (refused?.[value] ? [{ column: name(i), row, code: refused[value] }] : [])),
      ),
    };
  } finally {
    await client.end();
  }
}

/** PostgreSQL's own output, but for what is said differently and means the same. */
function expectedText({ type, override }: (typeof columns)[number], text: string | null): string | null {
  if (text === null) return null;
  if (type === 'money') return text.replaceAll(/[$,]/g, '');
  if (override?.as === 'decimal') return Number.isFinite(Number(text)) ? Number(text).toFixed(override.scale) : text;
  // A decimal shows all digits of its scale; numeric(2,-3) and numeric(38,38) already agree.
  return text;
}

function failuresOf(config: PostgresConfig, canary: string): Fixture<PostgresConfig>['failures'] {
  const { user, database, host, port } = config;
  const url = (password: string, where: string, name = database) => ({
    url: `postgres://${user}:${password}@${where}/${name}`,
  });
  const here = `${host}:${port}`;
  return [
    { name: 'wrong password', config: url(`${canary}x`, here), step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'no password', config: { ...config, password: undefined }, step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'unknown user', config: { ...config, user: 'nobody_here' }, step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'refused', config: url(canary, `${host}:1`), step: 'connect', code: 'SOURCE_UNREACHABLE' },
    {
      name: 'unknown host',
      config: url(canary, 'no-such-host.invalid:5432'),
      step: 'connect',
      code: 'SOURCE_UNREACHABLE',
    },
    {
      name: 'missing database',
      config: url(canary, here, 'nowhere'),
      step: 'authenticate',
      code: 'SOURCE_DATABASE_MISSING',
    },
    { name: 'no TLS there', config: { ...config, ssl: true }, step: 'connect', code: 'SOURCE_TLS' },
    { name: 'bad URL', config: { url: `postgres://u:${canary}@[bad` }, step: 'resolve', code: 'CONFIG_INVALID' },
    { name: 'bad %', config: url(`${canary}%`, here), step: 'resolve', code: 'CONFIG_INVALID' },
    {
      name: 'unknown URL parameter',
      config: { url: `${url(canary, here).url}?opt=1` },
      step: 'resolve',
      code: 'CONFIG_INVALID',
    },
    {
      name: 'unknown setting',
      config: { ...config, hots: canary } as PostgresConfig,
      step: 'resolve',
      code: 'CONFIG_INVALID',
    },
  ];
}

function disturb(url: string): { stop(): Promise<number> } {
  let stopping = false;
  let changes = 0;
  const working = (async () => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      while (!stopping) {
        const i = changes++;
        await client.query('insert into large values ($1, $2)', [1_000_000 + i, 'new']);
        await client.query('update large set filler = filler || $2 where id = $1', [(i * 37) % LARGE_ROWS, 'y']);
        await client.query('delete from large where id = $1', [1_000_000 + i - 5]);
      }
      await client.query('delete from large where id >= 1000000');
    } finally {
      await client.end();
    }
  })();
  return {
    stop: async () => {
      stopping = true;
      await working;
      return changes;
    },
  };
}

async function busyStatements(url: string, user: string): Promise<number> {
  const { rows } = await execute(
    url,
    `select count(*)::int as n from pg_stat_activity where usename = '${user}' and state = 'active' and query ilike 'copy%'`,
  );
  return rows[0].n;
}
