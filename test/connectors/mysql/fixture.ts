import { randomUUID } from 'node:crypto';
import type { Fixture, Prepared, Torture } from '../../../connectors/conformance/kit.ts';
import type { MysqlConfig } from '../../../connectors/mysql/config.ts';
import { limits } from '../../../lib/limits.ts';
import { execute, type MariadbServer, startMariadb } from '../../support/mariadb.ts';
import { columns, mariadbColumns, type TortureColumn } from './torture.ts';

/** The most that InnoDB has. */
const WIDE_COLUMNS = 1_017;
const LARGE_ROWS = 20_000;
const names = ['编号', 'Mixed Case', 'back`tick', "apostrophe's", 'select', '100%?'];
const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** A database and a user who may read its tables one by one, whose password is the canary. */
export async function prepare(): Promise<Prepared<MysqlConfig>> {
  const server = await startMariadb();
  const suffix = randomUUID().slice(0, 8);
  const database = `conformance_${suffix}`;
  const user = `reader_${suffix}`;
  const canary = `canary-${randomUUID()}`;
  await execute(
    server.url(),
    `create database ${database} character set utf8mb4 collate utf8mb4_general_ci; create database ${database}_open;
     create user ${user} identified by '${canary}'; grant process on *.* to ${user};
     grant select on ${database}_open.* to ${user}`,
  );
  const admin = server.url(database);
  await fillTables(admin);
  const torture = await fillTorture(admin);
  for (const { name } of await execute(
    admin,
    `select table_name as name from information_schema.tables where table_schema = '${database}' and table_name <> 'forbidden'`,
  )) {
    await execute(admin, `grant select on ${quote(name ?? '')} to ${user}`);
  }
  const config = { host: server.host, port: server.port, database, user, password: canary };
  const table = (name: string) => ({ table: { schema: database, name } });
  const fixture: Fixture<MysqlConfig> = {
    config,
    canary,
    failures: failuresOf(config, canary),
    large: { request: table('large'), rows: LARGE_ROWS, idColumn: 'id', partitions: 4 },
    disturb: () => disturb(admin),
    empty: { request: table('empty'), columns: ['a', 'b'] },
    names: { request: table('大写 `Table`'), columns: names },
    comments: { request: table('commented'), table: '疫苗接种记录', of: 'id', column: "接种编号 ''\\" },
    wide: { request: table('wide'), columns: WIDE_COLUMNS },
    bigCell: { fits: table('big'), tooLarge: table('bigger'), column: 'content' },
    torture,
    // Every type of these servers has a mapping: what is refused is a wish that would lose digits.
    unmapped: {
      request: {
        ...table('unmapped'),
        overrides: {
          price: { as: 'decimal', precision: 3, scale: 0 },
          word: { as: 'decimal', precision: 9, scale: 2 },
        },
      },
      columns: ['price', 'word'],
    },
    missing: [
      { request: { table: { schema: `${database}_open`, name: 'nowhere' } }, code: 'TABLE_NOT_FOUND' },
      // Of what a user may not see, the server does not say that it is not there.
      { request: table('nowhere'), code: 'SOURCE_FORBIDDEN' },
      { request: { table: { schema: 'no_such_database', name: 'large' } }, code: 'SOURCE_FORBIDDEN' },
      { request: { ...table('large'), columns: ['id', 'Id'] }, code: 'COLUMN_NOT_FOUND' },
      { request: table('forbidden'), code: 'SOURCE_FORBIDDEN' },
    ],
    revoked: {
      request: table('revocable'),
      revoke: () => execute(admin, `revoke select on revocable from ${user}`).then(() => {}),
      restore: () => execute(admin, `grant select on revocable to ${user}`).then(() => {}),
    },
    slow: table('slow'),
    busyStatements: () => busyStatements(admin, user),
    cursor: { request: table('large'), column: 'id', rows: LARGE_ROWS },
  };
  return { fixture, close: () => cleanUp(server, database, user) };
}

async function cleanUp(server: MariadbServer, database: string, user: string): Promise<void> {
  await execute(server.url(), `drop database ${database}; drop database ${database}_open; drop user ${user}`);
  await server.stop();
}

async function fillTables(url: string): Promise<void> {
  const wide = Array.from({ length: WIDE_COLUMNS }, (_, i) => i);
  const digits = Array.from({ length: 10 }, (_, i) => `select ${i} as d`).join(' union all ');
  await execute(
    url,
    `create table digits as ${digits};
     create table large (id bigint primary key, filler varchar(300) not null);
     insert into large select i, repeat('x', i % 150) from (
       select 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d as i
         from digits a, digits b, digits c, digits d, digits e where e.d < 2) numbers where i <= ${LARGE_ROWS};
     create table empty (a int, b text);
     create table ${quote('大写 `Table`')} (${names.map((name) => `${quote(name)} int`).join(', ')});
     insert into ${quote('大写 `Table`')} values (${names.map((_, i) => i).join(', ')});
     create table wide (${wide.map((i) => `c${i} smallint`).join(', ')});
     insert into wide values (${wide.join(', ')});
     create table big (id int, content longtext);
     insert into big values (1, repeat('x', ${limits.cellBytesMax}));
     create table bigger (id int, content longtext);
     insert into bigger values (1, repeat('x', ${limits.cellBytesMax + 1}));
     create table unmapped (id int, price decimal(10,2), word varchar(9));
     create table forbidden (id int);
     create table revocable as select 1 as id;
     create table commented (id int comment '接种编号 ''''\\\\') comment '疫苗接种记录';
     create view slow as select id, benchmark(1000000000, sha2(filler, 512)) as cost from large;`,
  );
}

export async function fillTorture(url: string): Promise<Torture> {
  const [server] = await execute(url, 'select version() as version');
  const all = server?.version?.includes('MariaDB') ? [...columns, ...mariadbColumns] : columns;
  const rows = Math.max(...all.map(({ values }) => values.length)) + 1;
  const name = (i: number) => `c${i}_${all[i]?.type.replaceAll(/\W+/g, '_')}`.slice(0, 60);
  const inserts = Array.from(
    { length: rows },
    (_, row) => `(${all.map(({ values }) => values[row] ?? 'null').join(', ')})`,
  );
  await execute(
    url,
    `set sql_mode = 'ALLOW_INVALID_DATES'; set time_zone = '+00:00';
     create table torture (${all.map(({ type }, i) => `${name(i)} ${type}`).join(', ')}) row_format = dynamic;
     insert into torture values ${inserts.join(', ')}`,
  );
  const told = all.map((column, i) => `${(column.told ?? '?').replaceAll('?', name(i))} as ${name(i)}`);
  const texts = await execute(url, `set time_zone = '+00:00'`, `select ${told.join(', ')} from torture`);
  const override = all.flatMap((column, i) => (column.override ? [[name(i), column.override] as const] : []));
  return {
    request: { table: { name: 'torture' }, overrides: Object.fromEntries(override) },
    expected: Object.fromEntries(
      all.map((column, i) => [name(i), texts.map((row) => shown(column, row[name(i)] ?? null))]),
    ),
    unrepresentable: all.flatMap(({ values, refused }, i) =>
      values.flatMap((value, row) => (refused?.[value] ? [{ column: name(i), row, code: refused[value] }] : [])),
    ),
  };
}

function shown(column: TortureColumn, text: string | null): string | null {
  return text === null ? null : (column.shown?.(text) ?? text);
}

function failuresOf(config: MysqlConfig, canary: string): Fixture<MysqlConfig>['failures'] {
  const { user, database, host, port } = config;
  const url = (password: string, where: string, name = database) => ({
    url: `mysql://${user}:${password}@${where}/${name}`,
  });
  const here = `${host}:${port}`;
  return [
    { name: 'wrong password', config: url(`${canary}x`, here), step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'no password', config: { ...config, password: undefined }, step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'unknown user', config: { ...config, user: 'nobody_here' }, step: 'authenticate', code: 'SOURCE_AUTH' },
    { name: 'refused', config: url(canary, `${host}:1`), step: 'connect', code: 'SOURCE_UNREACHABLE' },
    {
      name: 'unknown host',
      config: url(canary, 'no-such-host.invalid:3306'),
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
    { name: 'bad URL', config: { url: `mysql://u:${canary}@[bad` }, step: 'resolve', code: 'CONFIG_INVALID' },
    {
      name: 'URL parameter',
      config: { url: `${url(canary, here).url}?ssl=1` },
      step: 'resolve',
      code: 'CONFIG_INVALID',
    },
    {
      name: 'unknown setting',
      config: { ...config, hots: canary } as MysqlConfig,
      step: 'resolve',
      code: 'CONFIG_INVALID',
    },
  ];
}

/**
 * Each transaction moves two rows, one behind the last and one before the first, so that count and sum of `id` stay:
 * they are the same in every state, and in a mix of states they are not.
 */
function disturb(url: string): { stop(): Promise<number> } {
  let stopping = false;
  let changes = 0;
  const working = (async () => {
    while (!stopping) {
      const i = changes++;
      const [low, high] = [(i % 9_000) + 1, LARGE_ROWS - (i % 9_000)];
      const offset = 1_000_000 + i;
      await execute(
        url,
        `start transaction; update large set id = id + ${offset} where id = ${low};
         update large set id = id - ${offset} where id = ${high}; commit`,
      );
      // Back again, so that the next check finds the table as it was.
      await execute(
        url,
        `start transaction; update large set id = id - ${offset} where id = ${low + offset};
         update large set id = id + ${offset} where id = ${high - offset}; commit`,
      );
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
  const [row] = await execute(
    url,
    `select count(*) as n from information_schema.processlist
      where user = '${user}' and command in ('Query', 'Execute') and info like '/* huitong%slow%'`,
  );
  return Number(row?.n);
}
