/**
 * What the kit needs of a real Oracle or Dameng: ORACLE_URL or DAMENG_URL is `user:password@host:port/service` of a user who
 * may create tables (percent-encoded), and the driver is installed. Tables begin with HUITONG_ and are dropped again.
 */
import type { Fixture, Lacking, Prepared } from '../../connectors/conformance/kit.ts';
import type { OraConfig } from '../../connectors/ora-config.ts';
import { OraSession, type OraTarget } from '../../connectors/ora-session.ts';

const LARGE_ROWS = 3_000;
const WIDE_COLUMNS = 900;
const context = { signal: new AbortController().signal, label: 'huitong/test' };
const table = (name: string) => ({ table: { name: `HUITONG_${name}` } });
const wideColumns = Array.from({ length: WIDE_COLUMNS }, (_, i) => `C${i} number(9) default ${i}`).join(', ');

/** Without the prefix; what differs in Dameng reads the same in both. */
const statements = [
  `create table HUITONG_LARGE (ID number(18) primary key, FILLER varchar2(100))`,
  `insert into HUITONG_LARGE select level, 'row ' || level from dual connect by level <= ${LARGE_ROWS}`,
  `create table HUITONG_EMPTY (ID number(9), NAME varchar2(10))`,
  `create table "HUITONG_Names 表" ("Id" number(9), "with space" number(9), "姓名" number(9), "select" number(9))`,
  `insert into "HUITONG_Names 表" values (1, 2, 3, 4)`,
  `create table HUITONG_WIDE (${wideColumns})`,
  `insert into HUITONG_WIDE (C0) values (0)`,
  `create table HUITONG_TORTURE (N number(38,10), I number(18), V varchar2(100), D date, T timestamp(6), Z timestamp(6) with time zone, B blob, C clob)`,
  `insert into HUITONG_TORTURE values (-9999999999999999999999999999.0123456789, 999999999999999999, '汇通', date '9999-12-31', timestamp '2026-03-01 08:00:00.123456', timestamp '2026-03-01 08:00:00.5 +08:00', hextoraw('00FF'), 'x')`,
  `insert into HUITONG_TORTURE values (null, null, null, null, null, null, null, null)`,
  `comment on table HUITONG_EMPTY is '空表'`,
  `comment on column HUITONG_EMPTY.NAME is '姓名'`,
  `commit`,
];
const dropped = ['LARGE', 'EMPTY', '"Names 表', 'WIDE', 'TORTURE'].map((name) =>
  name.startsWith('"') ? `drop table "HUITONG_${name.slice(1)}"` : `drop table HUITONG_${name}`,
);

async function run(target: OraTarget, sql: string[], mayFail = false): Promise<void> {
  const session = await OraSession.open(target, context);
  try {
    for (const statement of sql)
      await session.query(statement).catch((cause) => (mayFail ? [] : Promise.reject(cause)));
  } finally {
    await session.close();
  }
}

export interface OraServer<Config> {
  /** The environment variable that names the server. */
  variable: string;
  targetOf(config: Config): OraTarget;
  /** Partitions that the kind makes where three are asked for. */
  partitions: number;
  /** What a DATE shows behind the day. */
  timeOfDate: string;
}

/** Fills the server, or says that there is none. */
export async function prepareOra<Config extends OraConfig>({
  variable,
  targetOf,
  partitions,
  timeOfDate,
}: OraServer<Config>): Promise<Prepared<Config> | Lacking> {
  const text = process.env[variable];
  if (text === undefined) return { lacks: `${variable} is not set` };
  const url = new URL(`ora://${text}`);
  const service = url.pathname.slice(1);
  const config = {
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ...(service === '' ? {} : { service }),
  } as Config;
  const target = targetOf(config);
  await run(target, dropped, true);
  await run(target, statements);
  const failures: Fixture<Config>['failures'] = [
    {
      name: 'password',
      config: { ...config, password: `${config.password}x` },
      step: 'authenticate',
      code: 'SOURCE_AUTH',
    },
    {
      name: 'host',
      config: { ...config, host: 'no-such-host.invalid' },
      step: 'connect',
      code: 'SOURCE_UNREACHABLE',
    },
    { name: 'setting', config: { ...config, x: 1 } as Config, step: 'resolve', code: 'CONFIG_INVALID' },
  ];
  const lacks = (why: string) => ({ lacks: why });
  return {
    close: () => run(target, dropped, true),
    fixture: {
      config,
      canary: config.password,
      failures,
      large: {
        request: table('LARGE'),
        rows: LARGE_ROWS,
        idColumn: 'ID',
        partitions,
        bare: true,
      },
      disturb: lacks('only rows are counted by the source, no sums'),
      empty: { request: table('EMPTY'), columns: ['ID', 'NAME'] },
      names: { request: table('Names 表'), columns: ['Id', 'with space', '姓名', 'select'] },
      comments: { request: table('EMPTY'), table: '空表', column: '姓名', of: 'NAME' },
      wide: { request: table('WIDE'), columns: WIDE_COLUMNS },
      bigCell: lacks('a cell of 64 MiB takes PL/SQL to make'),
      torture: {
        request: table('TORTURE'),
        expected: {
          N: ['-9999999999999999999999999999.0123456789', null],
          I: ['999999999999999999', null],
          V: ['汇通', null],
          D: [`9999-12-31${timeOfDate}`, null],
          T: ['2026-03-01 08:00:00.123456', null],
          Z: ['2026-03-01 00:00:00.5+00', null],
          B: ['\\x00ff', null],
          C: ['x', null],
        },
        unrepresentable: [],
      },
      unmapped: lacks('what is unmapped differs by version and edition'),
      missing: [
        { request: table('NOTHING'), code: 'TABLE_NOT_FOUND' },
        { request: { ...table('LARGE'), columns: ['ID', 'NO'] }, code: 'COLUMN_NOT_FOUND' },
      ],
      revoked: lacks('a user cannot take its own right to its own table'),
      cursor: lacks('this kind has no cursors'),
      slow: lacks('the user need not see V$SESSION'),
      busyStatements: lacks('the user need not see V$SESSION'),
    },
  };
}
