/** A whole exchange for the crash test: its services, its district, its source, and its processes, each to be killed. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { type Catalog, migrate, openCatalog } from '../../catalog/database.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import type { Publication } from '../../exchange/publication/publication.ts';
import { openFileStore } from '../../exchange/store/file-store.ts';
import { Api } from '../../runtime/demo/api.ts';
import { applyDistrict } from '../../runtime/demo/district.ts';
import { freePort } from '../../runtime/embedded/ports.ts';
import { startPostgres } from '../../runtime/embedded/postgres.ts';
import { startTemporal } from '../../runtime/embedded/temporal.ts';
import { Resources } from '../../runtime/resources.ts';
import { StateFolder } from '../../runtime/state.ts';
import { Supervisor } from '../../runtime/supervisor.ts';
import { Link } from './link.ts';
import { Member } from './member.ts';
import { Source } from './source.ts';

const district = join(import.meta.dirname, 'district');
const SUPERVISING = 'government-services';
const OWNER = 'finance';
/** Processes that carry it in their environment are ours, whoever started them. */
export const MARK = 'CRASH_TEST_RUN';

export interface World {
  mark: string;
  catalogUrl: string;
  publication: Publication;
  temporal: Client;
  source: Source;
  owner: Api;
  auditor: Api;
  /** Of the audit log's signature, PEM. */
  signingPublicFile: string;
  server: Member;
  exchange: Member;
  /** The department's own worker: no catalog, no store, and what it stages is checked a second time. */
  worker: Member;
  /** A second worker of the department, which is started when the first is not to be trusted with a restart. */
  spare: Member;
  /** To Temporal, one for each worker. */
  links: { exchange: Link; worker: Link };
}

export interface WorldOptions {
  /** Of each table. */
  rows: number;
  onLog(line: string): void;
}

/** Runs `body` in a world of its own, of which nothing is left afterwards. */
export async function withWorld<T>(options: WorldOptions, body: (world: World) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'huitong-crash-'));
  const resources = new Resources();
  try {
    return await body(await startWorld(directory, options, resources));
  } finally {
    await resources.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function startWorld(directory: string, { rows, onLog }: WorldOptions, resources: Resources): Promise<World> {
  const state = await StateFolder.open(directory);
  const services = resources.add(new Supervisor({ state, onLog }), (opened) => opened.stop());
  const [postgres, temporal] = await Promise.all([
    services.start('postgres', () => startPostgres({ directory: state.path('postgres'), settings: ['fsync=off'] })),
    services.start('temporal', () => startTemporal({ directory: state.path('temporal') })),
  ]);
  const catalogUrl = await postgres.database('catalog');
  const catalog = openCatalog(catalogUrl, { applicationName: 'crash harness', connectionsMax: 4 });
  resources.add(catalog, (opened) => opened.destroy());
  await migrate(catalog);
  const source = await Source.create(await postgres.database('finance'), rows, await state.secret('reader'));

  const links = { exchange: await Link.open(temporal.address), worker: await Link.open(temporal.address) };
  for (const link of Object.values(links)) resources.add(link, async (opened) => opened.close());
  const connection = await Connection.connect({ address: temporal.address });
  resources.add(connection, (opened) => opened.close());

  const mark = randomUUID();
  const settings = { mark, state, catalogUrl, temporalAddress: temporal.address, links, source };
  const members = await describeMembers(settings, catalog);
  // Whatever of these is killed is killed by us: its successor starts after the first, short pause.
  const processes = resources.add(new Supervisor({ state, onLog, wellAfterMs: 0 }), (opened) => opened.stop());
  await members.server.supervise(processes);
  await applyDistrict(district, new Api(members.url, await token(catalog, SUPERVISING, ['administrator'])));
  await Promise.all([members.exchange.supervise(processes), members.worker.supervise(processes)]);
  return {
    mark,
    catalogUrl,
    publication: { catalog, store: await openFileStore(state.path('store')) },
    temporal: new Client({ connection }),
    source,
    owner: new Api(members.url, await token(catalog, OWNER, ['officer', 'engineer'])),
    auditor: new Api(members.url, await token(catalog, SUPERVISING, ['auditor'])),
    signingPublicFile: (await state.keys()).signingPublic,
    links,
    ...members,
  };
}

interface Settings {
  mark: string;
  state: StateFolder;
  catalogUrl: string;
  temporalAddress: string;
  links: World['links'];
  source: Source;
}

async function describeMembers(
  { mark, state, catalogUrl, temporalAddress, links, source }: Settings,
  catalog: Catalog,
) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const keys = await state.keys();
  await state.secret('audit-subject');
  const workerToken = await state.keepSecret('worker-token', await token(catalog, OWNER, ['worker']));
  const common = { PATH: process.env.PATH ?? '', [MARK]: mark, HUITONG_SHUTDOWN_GRACE_SECONDS: '5' };
  const exchange = { HUITONG_CATALOG_URL: catalogUrl, HUITONG_STORE_URL: pathToFileURL(state.path('store')).href };
  const member = (name: string, entry: 'server.ts' | 'worker.ts', environment: Record<string, string>) =>
    new Member({ name, entry, logFile: state.path('logs', `${name}.log`), environment: { ...common, ...environment } });
  const department = {
    HUITONG_WORKER_ROLES: `source:${OWNER}`,
    HUITONG_STAGING_URL: url,
    HUITONG_WORKER_TOKEN: `file:${workerToken}`,
    HUITONG_SOURCE_LOOPBACK_ALLOWED: 'true',
    CRASH_FINANCE_URL: source.readerUrl,
  };
  return {
    url,
    server: member('server', 'server.ts', {
      ...exchange,
      HUITONG_TEMPORAL_ADDRESS: temporalAddress,
      HUITONG_HTTP_PORT: String(port),
      HUITONG_SIGNING_KEY: `file:${keys.signing}`,
      HUITONG_AUDIT_SUBJECT_KEY: `file:${state.path('secrets', 'audit-subject')}`,
      HUITONG_QUARANTINE_PRIVATE_KEY: `file:${keys.quarantine}`,
    }),
    exchange: member('worker-exchange', 'worker.ts', {
      ...exchange,
      HUITONG_TEMPORAL_ADDRESS: links.exchange.address,
      HUITONG_WORKER_ROLES: 'exchange',
    }),
    worker: member('worker-finance', 'worker.ts', { ...department, HUITONG_TEMPORAL_ADDRESS: links.worker.address }),
    spare: member('worker-spare', 'worker.ts', { ...department, HUITONG_TEMPORAL_ADDRESS: temporalAddress }),
  };
}

async function token(catalog: Catalog, department: string, roles: Parameters<typeof mintToken>[1]['roles']) {
  return (await mintToken(catalog, { department, subject: 'crash test', roles, label: 'crash test' })).secret;
}
