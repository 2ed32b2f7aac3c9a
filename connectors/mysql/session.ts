/** What every connection is told first, so that nothing depends on the server's or the user's settings. */
import { errorNumber } from './errors.ts';

/** What is needed of a connection. */
interface Session {
  readonly target: { statementTimeoutMs: number };
  query(sql: string): Promise<Record<string, unknown>[]>;
}

/** Which of the servers that speak this protocol: their SQL differs where it is used here. */
export type Flavour = 'mysql' | 'mariadb' | 'tidb' | 'oceanbase';

export interface Server {
  flavour: Flavour;
  /** For people, for instance `MariaDB 10.11.6`. */
  title: string;
}

const titles: Record<Flavour, string> = { mysql: 'MySQL', mariadb: 'MariaDB', tidb: 'TiDB', oceanbase: 'OceanBase' };

/** How long a connection may stand still, and a result wait for its reader, before the server ends it. */
const WAIT_S = 86_400;
const LOCK_WAIT_S = 30;

/** Times in UTC; modes that would change what SQL means are off; a reader that pauses is waited for. */
const settings = [
  `time_zone = '+00:00'`,
  `sql_mode = ''`,
  `wait_timeout = ${WAIT_S}`,
  `net_write_timeout = ${WAIT_S}`,
  `lock_wait_timeout = ${LOCK_WAIT_S}`,
  `transaction_isolation = 'REPEATABLE-READ'`,
];

/** Variables that not every server or release has. */
const UNKNOWN_VARIABLE = 1193;

export async function beginSession(connection: Session): Promise<Server> {
  const [row] = await connection.query('select version() as version, @@version_comment as remark');
  const server = serverOf(String(row?.version), String(row?.remark));
  for (const setting of settingsOf(server.flavour, connection.target.statementTimeoutMs))
    await set(connection, setting);
  return server;
}

/** What a session sets; a statement's time of 0 has no limit, which each server says in its own way. */
export function settingsOf(flavour: Flavour, statementTimeoutMs: number): string[] {
  switch (flavour) {
    case 'mariadb':
      return [...settings, `max_statement_time = ${statementTimeoutMs / 1000}`];
    case 'mysql':
    case 'tidb':
      return [...settings, `max_execution_time = ${statementTimeoutMs}`];
    case 'oceanbase': {
      // Microseconds; unless told otherwise it ends a statement after 10 s, a transaction after 100 s.
      const longest = WAIT_S * 1_000_000;
      const statement = statementTimeoutMs === 0 ? longest : statementTimeoutMs * 1000;
      return [
        ...settings,
        `ob_query_timeout = ${statement}`,
        `ob_trx_timeout = ${longest}`,
        `ob_trx_idle_timeout = ${longest}`,
      ];
    }
  }
}

async function set(connection: Session, setting: string): Promise<void> {
  try {
    await connection.query(`set session ${setting}`);
  } catch (cause) {
    if (errorNumber(cause) !== UNKNOWN_VARIABLE) throw cause;
    // MariaDB before 11.1 calls it tx_isolation.
    if (setting.startsWith('transaction_isolation')) await connection.query(`set session tx_${setting.slice(12)}`);
  }
}

/** `5.5.5-10.11.6-MariaDB-log`, `8.0.36`, `8.0.11-TiDB-v7.5.0`, `5.7.25-OceanBase-v4.2.1.0`. */
export function serverOf(version: string, remark: string): Server {
  const text = `${version} ${remark}`;
  const flavour: Flavour = /mariadb/i.test(text)
    ? 'mariadb'
    : /tidb/i.test(text)
      ? 'tidb'
      : /oceanbase/i.test(text)
        ? 'oceanbase'
        : 'mysql';
  const own = {
    tidb: /tidb-v?([\d.]+)/i,
    oceanbase: /oceanbase[^\d]*([\d.]+)/i,
    mysql: /^([\d.]+)/,
    mariadb: /^(?:5\.5\.5-)?([\d.]+)/,
  };
  return { flavour, title: `${titles[flavour]} ${own[flavour].exec(text)?.[1] ?? version}` };
}
