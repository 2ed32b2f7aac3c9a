/**
 * Audited look-ups against plain selects by primary key. `npm run bench:lookup [-- --batches 8 --rounds 3 --seconds 4 --clients 8,64]`
 * The exchange's whole API is in this process, with its log and receipts on; the plain server, PostgreSQL and the load
 * are processes of their own. Each round measures one after the other, at 1, 8, 64 and 256 clients.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { pino } from 'pino';
import { createGrant } from '../exchange/access/explicit-grants.ts';
import { Lookups } from '../exchange/access/lookup/lookups.ts';
import { mintToken } from '../exchange/access/tokens.ts';
import { buildApp } from '../server/app.ts';
import { createSessionTokens } from '../server/session-tokens.ts';
import type { LoadPlan, LoadResult } from './lookup-client.ts';
import { DATASET, openReadWorld, schema } from './read-world.ts';

const { values: options } = parseArgs({
  options: {
    batches: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    clients: { type: 'string', default: '1,8,64,256' },
  },
});
const BATCH_KEYS = 100;
const REQUESTS = 2_000;
const WARM_UP_MS = 1_000;
const directory = await mkdtemp(join(tmpdir(), 'huitong-bench-lookup-'));
const world = await openReadWorld(directory, Number(options.batches));
const { catalog } = world.access.publication;

const database = new pg.Client({ connectionString: world.url });
await database.connect();
await database.query('create table resident (id bigint primary key, name text, id_no text, amount float8, day date)');
await database.query(
  `insert into resident select i, '张三丰', '4403' || lpad(i::text, 14, '0'), i / 100.0, date '2000-01-01' + (i % 9000)::int
   from generate_series(0, $1::bigint) as i`,
  [world.rows - 1],
);
await database.query('vacuum analyze resident');
await database.end();
await createGrant(world.access.publication, {
  actor: { actor: 'bench' },
  terms: {
    grantee: 'police',
    dataset: DATASET,
    items: schema.fields.map(({ name }) => name),
    masks: { name: { mask: 'partial', shape: 'name' } },
    rowFilter: { ge: { column: 'amount', value: 1 } },
    modes: ['lookup'],
    purpose: 'bench',
    legalBasis: 'bench',
    quota: { lookupsPerDay: 1_000_000_000 },
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
  },
});
const { secret } = await mintToken(catalog, { department: 'police', subject: 'bench', roles: ['officer'] });

/** What a single call waits for, one after the other: the token, the gate, the log. In milliseconds. */
const waits = new Map<string, number[]>();
const waited = (name: string, since: number) => {
  const known = waits.get(name) ?? [];
  known.push(performance.now() - since);
  waits.set(name, known);
};
const begun = new Map<string, number>();
catalog.on('query', ({ __knexQueryUid: id }: { __knexQueryUid: string }) => begun.set(id, performance.now()));
catalog.on('query-response', (_, { __knexQueryUid: id, sql }: { __knexQueryUid: string; sql: string }) => {
  const since = begun.get(id) ?? Number.NaN;
  begun.delete(id);
  if (sql.includes('access_token')) waited('token', since);
  else if (sql.includes('grant_usage')) waited('gate', since);
});
const access = {
  ...world.access,
  audit: {
    async append(...leaf: Parameters<typeof world.audit.append>) {
      const since = performance.now();
      const appended = await world.audit.append(...leaf);
      waited('log', since);
      return appended;
    },
    appendMany: (leaves: Parameters<typeof world.audit.appendMany>[0]) => world.audit.appendMany(leaves),
  },
};

const lookups = new Lookups(access, {
  directory: join(directory, 'lookups'),
  onFailure: (dataset, error) => console.error(dataset, error),
});
const app = await buildApp({
  // As the server logs, to where nobody reads.
  logger: pino({ level: 'info' }, createWriteStream('/dev/null')),
  publication: world.access.publication,
  access: world.access,
  audit: world.audit,
  lookups,
  // Nothing here runs a workflow.
  temporal: new Client({ connection: Connection.lazy() }),
  quarantineKey: '',
  sessions: createSessionTokens(),
  health: async () => ({}),
});
await app.listen({ host: '127.0.0.1', port: 0 });
const ours = (app.server.address() as AddressInfo).port;
const plainServer = spawn('node', ['--import', 'tsx', join(import.meta.dirname, 'lookup-plain.ts'), world.url], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const plain = Number(String((await once(plainServer.stdout, 'data'))[0]));

/** Spread over the table, the same on every run. */
const keyAt = (i: number) => (Math.imul(i + 1, 2_654_435_761) >>> 0) % world.rows;
const plainRequests = Array.from(
  { length: REQUESTS },
  (_, i) => `GET /resident/${keyAt(i)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
);
const lookupRequests = (keysEach: number) =>
  Array.from({ length: Math.ceil(REQUESTS / keysEach) + 64 }, (_, i) => {
    const keys = Array.from({ length: keysEach }, (_, k) => ({ id: keyAt(i * keysEach + k) }));
    const body = JSON.stringify({ keys, purpose: 'bench', matter: 'B-1' });
    const head = `POST /v1/lookups/${DATASET} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secret}\r\n`;
    return `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });

type Measured = LoadResult & { cpuMs: number };

/** What this process spends meanwhile is told too: it does not depend on who else uses the machine. */
async function load(port: number, clients: number, requests: string[]): Promise<Measured> {
  const child = spawn('node', ['--import', 'tsx', join(import.meta.dirname, 'lookup-client.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const plan: LoadPlan = { port, clients, warmUpMs: WARM_UP_MS, measureMs: Number(options.seconds) * 1_000, requests };
  const before = process.cpuUsage();
  child.stdin.end(JSON.stringify(plan));
  const result = (await json(child.stdout)) as LoadResult;
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuMs: (user + system) / 1_000 };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const rate = ({ answers, ms }: LoadResult, keys = 1) => (answers * keys * 1_000) / ms;

try {
  const single = lookupRequests(1);
  const batch = lookupRequests(BATCH_KEYS);
  await load(ours, 8, single);
  const { rows, leaves } = { rows: world.rows, leaves: (await world.audit.reader.head()).size };
  console.log(`${rows} rows; the log has ${leaves} leaves already`);
  for (const clients of options.clients.split(',').map(Number)) {
    waits.clear();
    const rounds: Record<'plain' | 'single' | 'batch', Measured>[] = [];
    for (let round = 0; round < Number(options.rounds); round++) {
      rounds.push({
        plain: await load(plain, clients, plainRequests),
        single: await load(ours, clients, single),
        batch: await load(ours, clients, batch),
      });
    }
    const of = (name: keyof (typeof rounds)[0], measure: (result: Measured) => number) =>
      median(rounds.map((round) => measure(round[name])));
    for (const [name, keys] of [
      ['plain', 1],
      ['single', 1],
      ['batch', BATCH_KEYS],
    ] as const) {
      const keysASecond = of(name, (result) => rate(result, keys)).toFixed(0);
      const [middle, high] = [of(name, (r) => r.medianMs), of(name, (r) => r.p99Ms)].map((ms) => ms.toFixed(1));
      const cpuMs = of(name, (r) => (r.cpuMs * r.ms) / (r.ms + WARM_UP_MS) / r.answers).toFixed(2);
      const spent = name === 'plain' ? '' : `, ${cpuMs} ms CPU a call`;
      console.log(`${clients} clients, ${name}: ${keysASecond} keys/s, median ${middle} ms, p99 ${high} ms${spent}`);
    }
    const ratioOf = (name: 'single' | 'batch', keys: number) =>
      median(rounds.map((round) => rate(round[name], keys) / rate(round.plain))).toFixed(2);
    const told = ['token', 'gate', 'log'].map((name) => `${name} ${median(waits.get(name) ?? []).toFixed(1)} ms`);
    console.log(`${clients} clients, waits of single calls and batches: ${told.join(', ')}`);
    // One client alone tells how long a commit takes, and nothing about throughput.
    if (clients === 1) continue;
    console.log(`bench lookup_single_${clients} ratio ${ratioOf('single', 1)}`);
    console.log(`bench lookup_batch_${clients} ratio ${ratioOf('batch', BATCH_KEYS)}`);
    if (clients === 8) console.log(`bench lookup_p99_8 ms ${of('single', (result) => result.p99Ms).toFixed(1)}`);
  }
} finally {
  plainServer.stdin.end();
  await app.close();
  await lookups.close();
  await world.close();
  await rm(directory, { recursive: true });
}
process.exit(0);
