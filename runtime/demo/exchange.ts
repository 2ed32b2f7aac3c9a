/** Starts a whole exchange on this machine, under one supervisor, in the order in which its parts need each other. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startPostgres } from '../embedded/postgres.ts';
import { startTemporal } from '../embedded/temporal.ts';
import { startNodeProcess } from '../node-process.ts';
import type { StateFolder } from '../state.ts';
import type { Supervisor } from '../supervisor.ts';
import { Api } from './api.ts';
import { type DepartmentDatabase, fillDatabases } from './databases.ts';
import { applyDistrict, supervisorOf } from './district.ts';
import type { DemoOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { DatasetToPublish } from './publish.ts';
import { copyToSqlServer, sqlServerOverlay, sqlServerSources } from './sql-server.ts';
import { administratorToken, departmentTokens, workerTokenFile } from './tokens.ts';

const root = join(import.meta.dirname, '..', '..');
const district = join(root, 'districts', 'longhua');
/** Ours, to be told apart from a PostgreSQL, a Temporal or a web server that somebody else runs here. */
const wantedPorts = { http: 8480, postgres: 54_380, temporal: 17_233 };
/**
 * Enough for the sources' loading and the catalog on a small machine; everything else as PostgreSQL has it. `wal_level`:
 * the departments' databases are here too, and their changes can be captured.
 */
const postgresSettings = ['max_connections=200', 'shared_buffers=256MB', 'max_wal_size=2GB', 'wal_level=logical'];

export interface DemoExchange {
  url: string;
  datasets: DatasetToPublish[];
  databases: DepartmentDatabase[];
  /** By department, and `administrator`, `auditor`. */
  tokens: Record<string, string>;
  apiOf(name: string): Api;
}

interface Parts {
  options: DemoOptions;
  state: StateFolder;
  supervisor: Supervisor;
  progress: Progress;
  ports: { http: number; postgres: number; temporal: number };
}

export async function startExchange(
  options: DemoOptions,
  state: StateFolder,
  supervisor: Supervisor,
  progress: Progress,
): Promise<DemoExchange> {
  const ports = await state.ports(
    { ...wantedPorts, ...(options.port ? { http: options.port } : {}) },
    (name, from, to) => progress.step(`port ${from} of ${name} is in use by another process; ${to} is taken instead`),
  );
  const parts = { options, state, supervisor, progress, ports };
  const [postgres, temporal] = await startServices(parts);
  const catalogUrl = await postgres.database('huitong');
  // The departments' databases fill while the exchange starts: neither needs the other.
  const filling = fillDatabases({
    district,
    scale: options.scale,
    database: postgres.database,
    state,
    onFilled: (name, seconds) => progress.step(`database ${name} filled in ${seconds.toFixed(1)} s`),
  });
  // Awaited below; a failure meanwhile is not an unhandled one.
  filling.catch(() => {});
  const exchange = { HUITONG_CATALOG_URL: catalogUrl, HUITONG_TEMPORAL_ADDRESS: temporal.address };
  const url = await startServer(parts, exchange);
  const supervising = await supervisorOf(district);
  const administrator = await administratorToken(state, catalogUrl, supervising);
  const api = new Api(url, administrator);
  const overlay = options.mssqlUrl === undefined ? {} : await sqlServerOverlay(district);
  const changes = await applyDistrict(district, api, overlay);
  progress.step(
    changes === 0 ? 'district Longhua is as applied before' : `district Longhua applied: ${changes} definitions`,
  );
  const listed = await api.list<DatasetToPublish & { state: string }>('/datasets');
  const datasets = listed.filter((dataset) => dataset.state === 'active');
  const departments = [...new Set(datasets.map(({ department }) => department))];
  const tokens = await departmentTokens(state, url, administrator, supervising, departments);
  const databases = await withSqlServer(parts, await filling);
  await startWorkers(parts, exchange, url, await workerTokenFile(state, api, supervising), databases);
  return { url, datasets, databases, tokens, apiOf: (name) => new Api(url, tokens[name]) };
}

/** The databases of the departments that have SQL Server are copied to it, or say that they do without. */
async function withSqlServer(
  { options: { mssqlUrl: url }, state, progress }: Parts,
  filled: readonly DepartmentDatabase[],
): Promise<DepartmentDatabase[]> {
  const sources = new Set(await sqlServerSources(district));
  const onCopied = (name: string, seconds: number) =>
    progress.step(`database ${name} copied to SQL Server in ${seconds.toFixed(1)} s`);
  const databases: DepartmentDatabase[] = [];
  for (const database of filled) {
    if (!sources.has(database.source)) databases.push(database);
    else if (url === undefined) databases.push({ ...database, kind: 'SQL Server → embedded PostgreSQL' });
    else databases.push(await copyToSqlServer(database, { url, state, onCopied }));
  }
  return databases;
}

async function startServices({ state, supervisor, progress, ports }: Parts) {
  const password = await state.secret('postgres');
  const startingPostgres = supervisor.start('postgres', () =>
    startPostgres({ directory: state.path('postgres'), port: ports.postgres, password, settings: postgresSettings }),
  );
  // What its installation says is for the person who waits for it; what the server logs is not.
  const onLog = (line: string) => line.startsWith('temporal:') && progress.step(line);
  const startingTemporal = supervisor.start('temporal', () =>
    startTemporal({ directory: state.path('temporal'), port: ports.temporal, onLog }),
  );
  // Both are settled before a failure of one is told, so that the supervisor knows all that it has to stop.
  const [postgres, temporal] = await Promise.allSettled([startingPostgres, startingTemporal]);
  if (postgres.status === 'rejected') throw postgres.reason;
  if (temporal.status === 'rejected') throw temporal.reason;
  return [postgres.value, temporal.value] as const;
}

async function startServer({ state, supervisor, ports }: Parts, exchange: Record<string, string>): Promise<string> {
  const keys = await state.keys();
  await state.secret('audit-subject');
  const server = await supervisor.start('server', () =>
    startNodeProcess({
      entry: join(root, 'runtime', 'server.ts'),
      logFile: state.path('logs', 'server.log'),
      environment: {
        ...inherited(),
        ...exchange,
        HUITONG_STORE_URL: storeUrl(state),
        HUITONG_HTTP_PORT: String(ports.http),
        HUITONG_SIGNING_KEY: `file:${keys.signing}`,
        HUITONG_AUDIT_SUBJECT_KEY: `file:${state.path('secrets', 'audit-subject')}`,
        HUITONG_QUARANTINE_PRIVATE_KEY: `file:${keys.quarantine}`,
      },
    }),
  );
  return server.details.url;
}

/** Two processes: the one that reaches the departments' databases gets no credentials of the catalog. */
async function startWorkers(
  { state, supervisor }: Parts,
  exchange: Record<string, string>,
  url: string,
  tokenFile: string,
  databases: readonly DepartmentDatabase[],
): Promise<void> {
  const start = (name: string, environment: Record<string, string>) =>
    supervisor.start(name, () =>
      startNodeProcess({
        entry: join(root, 'runtime', 'worker.ts'),
        logFile: state.path('logs', `${name}.log`),
        environment: { ...inherited(), ...environment },
      }),
    );
  await start('worker-exchange', {
    ...exchange,
    HUITONG_STORE_URL: storeUrl(state),
    HUITONG_WORKER_ROLES: 'exchange',
  });
  await start('worker-sources', {
    ...Object.fromEntries(databases.map(({ variable, readerUrl }) => [variable, readerUrl])),
    HUITONG_TEMPORAL_ADDRESS: exchange.HUITONG_TEMPORAL_ADDRESS,
    HUITONG_STAGING_URL: url,
    HUITONG_WORKER_ROLES: 'source:*',
    HUITONG_WORKER_TOKEN: `file:${tokenFile}`,
    HUITONG_SOURCE_LOOPBACK_ALLOWED: 'true',
  });
}

function storeUrl(state: StateFolder): string {
  return pathToFileURL(state.path('store')).href;
}

/** Of our own environment only what any program needs. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'LANG', 'SystemRoot'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
