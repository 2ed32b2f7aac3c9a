/**
 * A real MariaDB for tests, where Debian's `mariadb-server` (or another) is installed: its own folder, its own port, no
 * service of the system, gone with the tests. Or, with MYSQL_URL, whatever server that names, whose user may create
 * databases and users.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from '../../runtime/embedded/ports.ts';
import { endWithUs } from '../../runtime/embedded/watchdog.ts';

const NOBODY_ID = 65_534;
const READY_TIMEOUT_MS = 60_000;
/** Debian keeps the server where ordinary users do not look. */
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const asRoot = process.getuid?.() === 0;

function find(program: string): string | undefined {
  try {
    return execFileSync('which', [program], { env: { PATH: path }, encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

const programs = { server: find('mariadbd'), install: find('mariadb-install-db') };

/** Why the tests cannot run here; undefined where they can. */
export const mariadbMissing =
  process.env.MYSQL_URL !== undefined || (programs.server !== undefined && programs.install !== undefined)
    ? undefined
    : 'skipped: there is no mariadbd; `apt-get install mariadb-server`, or set MYSQL_URL';

export interface MariadbServer {
  host: string;
  port: number;
  /** URL of a database, for the user that may do everything. */
  url(database?: string): string;
  stop(): Promise<void>;
}

/** About 2 s from nothing to ready. */
export async function startMariadb(settings: string[] = []): Promise<MariadbServer> {
  if (process.env.MYSQL_URL !== undefined) return givenServer(process.env.MYSQL_URL);
  const directory = await mkdtemp(join(tmpdir(), 'huitong-mariadb-'));
  const data = join(directory, 'data');
  await mkdir(data);
  const identity = asRoot ? { uid: NOBODY_ID, gid: NOBODY_ID } : {};
  if (asRoot) {
    await chmod(directory, 0o711);
    await chown(data, NOBODY_ID, NOBODY_ID);
  }
  const install = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await promisify(execFile)(programs.install as string, install, { ...identity, env: { PATH: path } });
  const port = await freePort();
  const child = spawn(
    programs.server as string,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(data, 'socket')}`,
      `--pid-file=${join(data, 'pid')}`,
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=64M',
      '--max-allowed-packet=1G',
      // Seconds east of UTC: a time that is taken for another zone's shows.
      '--default-time-zone=+08:00',
      ...settings,
    ],
    { ...identity, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-4_000);
  });
  const watchdog = child.pid === undefined ? undefined : endWithUs(child.pid, 'TERM');
  const exited = once(child, 'exit');
  const server: MariadbServer = {
    host: '127.0.0.1',
    port,
    url: (database = '') => `mysql://root@127.0.0.1:${port}/${database}`,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      watchdog?.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await waitUntilReady(server, () => child.exitCode !== null || child.signalCode !== null);
  } catch (cause) {
    await server.stop();
    throw new Error(`MariaDB did not start: ${log}`, { cause });
  }
  return server;
}

function givenServer(text: string): MariadbServer {
  const given = new URL(text);
  return {
    host: given.hostname,
    port: Number(given.port || 3306),
    url(database = '') {
      const url = new URL(given);
      url.pathname = `/${database}`;
      return url.href;
    },
    stop: () => Promise.resolve(),
  };
}

async function waitUntilReady(server: MariadbServer, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await execute(server.url(), 'select 1');
      return;
    } catch (cause) {
      if (hasEnded() || Date.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Runs statements one after another; the rows of the last one, every cell as text. */
export async function execute(url: string, ...statements: string[]): Promise<Record<string, string | null>[]> {
  const connection = await createConnection({ uri: url, multipleStatements: true, charset: 'utf8mb4' });
  try {
    let rows: Record<string, string | null>[] = [];
    for (const sql of statements) {
      const [result] = await connection.query<RowDataPacket[]>({ sql, typeCast: (field) => field.string() });
      rows = result as Record<string, string | null>[];
    }
    return rows;
  } finally {
    await connection.end();
  }
}
