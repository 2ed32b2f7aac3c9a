import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate, openCatalog } from '../../../../catalog/database.ts';
import { openAuditLog } from '../../../../exchange/audit/audit-log.ts';
import { exportLog } from '../../../../exchange/audit/export.ts';
import { createFileHeadStore } from '../../../../exchange/audit/head-store.ts';
import { createHeadSigner } from '../../../../exchange/audit/signer.ts';
import { verifyExport } from '../../../../exchange/audit/verify/export.ts';
import { createDatabase } from '../../../support/postgres.ts';
import { load, type ServerProcess, startServer } from './processes.ts';
import type { Settings } from './server-process.ts';

const SEED = Number(process.env.AUDIT_SEED ?? Math.floor(Math.random() * 2 ** 31));
let database: Awaited<ReturnType<typeof createDatabase>>;
let folder: string;
let settings: Settings;
let servers: ServerProcess[] = [];
let random = SEED;

/** Park and Miller's generator: the positions of a run come back with its seed. */
function next(): number {
  random = (random * 48_271) % (2 ** 31 - 1);
  return random;
}

beforeAll(async () => {
  console.log(`AUDIT_SEED=${SEED}`);
  database = await createDatabase();
  const catalog = openCatalog(database.url);
  await migrate(catalog);
  await catalog.destroy();
  folder = await mkdtemp(join(tmpdir(), 'huitong-audit-'));
  const { privateKey } = generateKeyPairSync('ed25519');
  settings = {
    url: database.url,
    origin: 'huitong.test/several',
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    headFile: join(folder, 'head'),
    beatMs: 200,
    silentMs: 2_000,
  };
  servers = await Promise.all([startServer(settings), startServer(settings), startServer(settings)]);
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.stop();
  await database.drop();
  await rm(folder, { recursive: true });
});

const living = () => servers.filter(({ child }) => child.connected);
const acknowledgedBy = (some: ServerProcess[]) => some.reduce((sum, server) => sum + server.acknowledged.length, 0);
const within = { timeout: 30_000, interval: 5 };

/** Who holds the log, once another than `former` has said so. */
async function holderAfter(former?: ServerProcess): Promise<ServerProcess> {
  const found = () => living().find((server) => server !== former && server.holds);
  await expect.poll(found, within).toBeDefined();
  return found() as ServerProcess;
}

const acknowledgements = (more: number, from: ServerProcess[]) => {
  const before = acknowledgedBy(from);
  return expect.poll(() => acknowledgedBy(from) - before, within).toBeGreaterThanOrEqual(more);
};

test('a holder of the log that is stopped is replaced; when it goes on it is fenced, and appends through the new one', async () => {
  const stops = servers.map((server) => load(server, next));
  const former = await holderAfter();
  const others = servers.filter((server) => server !== former);
  await acknowledgements(20, others);
  former.child.kill('SIGSTOP');
  await holderAfter(former);
  await acknowledgements(20, others);
  former.child.kill('SIGCONT');
  await acknowledgements(20, [former]);
  await expect.poll(() => former.holds, within).toBe(false);
  await Promise.all(stops.map((stop) => stop()));
}, 60_000);

test('holders killed at random moments lose nothing that was acknowledged; another takes over, and the log has no gap', async () => {
  const stops = servers.map((server) => load(server, next));
  for (let kill = 1; kill <= 2; kill++) {
    const holder = await holderAfter();
    await acknowledgements(1 + (next() % 60), living());
    await holder.kill();
    await acknowledgements(10, living());
  }
  await Promise.all(stops.map((stop) => stop()));
  expect(living()).toHaveLength(1);

  const { url, origin, privateKeyPem, headFile } = settings;
  const signer = createHeadSigner({ origin, privateKeyPem });
  const log = await openAuditLog({ url, signer, headStore: createFileHeadStore(headFile) });
  try {
    expect(log.isHolder()).toBe(false);
    const receipts = servers.flatMap(({ acknowledged }) => acknowledged);
    const verified = await verifyExport(exportLog(log.reader), { publicKey: signer.publicKey, receipts });
    expect(verified.receipts).toBe(receipts.length);
    expect(new Set(receipts.map(({ index }) => index)).size).toBe(receipts.length);
    // What was refused may be in the log all the same; nothing else is.
    expect(verified.leaves).toBeGreaterThanOrEqual(receipts.length);
    expect(new Set(servers.flatMap(({ refused }) => refused))).toEqual(new Set(['AUDIT_UNAVAILABLE']));
  } finally {
    await log.close();
  }
}, 60_000);
