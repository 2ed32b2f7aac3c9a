/**
 * Reading under a grant. `npm run bench:read [-- --batches 48 --rounds 5]`
 *   read_unmasked       an unmasked grant over HTTP against a plain Node file server of the same bytes, by turns; and
 *                       against nginx where it is installed
 *   read_columns        the same for some of the columns
 *   read_masked_first   the first read of a masked and filtered grant against DuckDB's COPY of the same SQL over Parquet
 *   read_masked_later   the next one against the file server: as unmasked
 *   read_slow           how the memory of the server's process grows while 64 slow readers are served, for each of them
 */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { createGrant } from '../exchange/access/explicit-grants.ts';
import { openRead, prepareRead, type ReadRequest } from '../exchange/access/read.ts';
import type { GrantTerms } from '../schemas/generated/grant-terms.ts';
import { startNginx } from './nginx.ts';
import { DATASET, openReadWorld, schema } from './read-world.ts';

const { values: options } = parseArgs({
  options: { batches: { type: 'string', default: '48' }, rounds: { type: 'string', default: '5' } },
});
const SLOW_READERS = 64;
const directory = await mkdtemp(join(tmpdir(), 'huitong-bench-read-'));
const world = await openReadWorld(directory, Number(options.batches));
const principal = { tokenId: 'bench', department: 'police', subject: 'bench', roles: ['officer' as const] };
const terms = (changes: Partial<GrantTerms>): GrantTerms => ({
  grantee: 'police',
  dataset: DATASET,
  items: schema.fields.map(({ name }) => name),
  modes: ['bulk'],
  purpose: 'bench',
  legalBasis: 'bench',
  notBefore: '2026-01-01T00:00:00Z',
  expires: '2099-01-01T00:00:00Z',
  ...changes,
});
const grant = async (changes: Partial<GrantTerms>) =>
  (await createGrant(world.access.publication, { terms: terms(changes), actor: { actor: 'bench' } })).id;

const plain = await grant({});
const masked = await grant({
  masks: {
    name: { mask: 'partial', shape: 'name' },
    id_no: { mask: 'partial', shape: 'id-number' },
    day: { mask: 'truncate', to: 'month' },
  },
  rowFilter: { and: [{ ge: { column: 'amount', value: 1000 } }, { ne: { column: 'id', value: 7 } }] },
});
const request = (changes: Partial<ReadRequest>): ReadRequest => ({
  principal,
  dataset: DATASET,
  version: 'current',
  format: 'arrow',
  grant: plain,
  ...changes,
});
const reads: Record<string, ReadRequest> = {
  '/plain': request({}),
  '/columns': request({ columns: ['id_no', 'amount'] }),
  '/masked': request({ grant: masked }),
};

const server = createServer((incoming, response) => {
  const url = incoming.url ?? '';
  const done = reads[url] ? governed(reads[url], response) : pipeline(createReadStream(join(directory, url)), response);
  done.catch(() => response.destroy());
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function governed(asked: ReadRequest, response: ServerResponse): Promise<void> {
  const prepared = await prepareRead(world.access, asked);
  response.writeHead(200, { 'content-length': prepared.totalBytes });
  await (await prepared.open()).stream.sendTo(() => response);
}

/** MB a second, of a client in another process. */
async function rateOf(path: string, { clients = 1, mibASecond = 0, from = base } = {}): Promise<number> {
  const child = spawn(
    'node',
    ['--import', 'tsx', join(import.meta.dirname, 'read-client.ts'), from + path, String(clients), String(mibASecond)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  const { bytes, ms } = JSON.parse(Buffer.concat(chunks).toString()) as { bytes: number; ms: number };
  return bytes / 1e6 / (ms / 1000);
}

/** The bytes of a read as a file of the plain server. */
async function save(name: string, asked: ReadRequest): Promise<void> {
  const { stream, closed } = await openRead(world.access, asked);
  await writeFile(join(directory, name), stream);
  await closed;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function compare(name: string, path: string, file: string, plainServer = 'file server', from = base) {
  const ratios: number[] = [];
  const rates: [number, number][] = [];
  const cpu: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    let start = process.cpuUsage();
    const files = await rateOf(file, { from });
    const filesMs = cpuMs(start);
    start = process.cpuUsage();
    const ours = await rateOf(path);
    cpu.push(cpuMs(start) / filesMs);
    ratios.push(ours / files);
    rates.push([ours, files]);
  }
  const middle = (place: 0 | 1) => median(rates.map((pair) => pair[place])).toFixed(0);
  console.log(`${name}: ${middle(0)} MB/s, ${plainServer} ${middle(1)} MB/s`);
  // Of this process, which serves both; it tells more than the clock where others use the machine.
  if (from === base) console.log(`${name}: ${median(cpu).toFixed(2)} of the file server's CPU time`);
  console.log(`bench ${name} ratio ${median(ratios).toFixed(2)}`);
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

try {
  console.log(`${world.rows} rows, ${(world.bytes / 1e6).toFixed(0)} MB in ${world.digests.length} parts`);
  await save('file', reads['/plain'] as ReadRequest);
  await save('file-columns', reads['/columns'] as ReadRequest);
  await compare('read_unmasked', '/plain', '/file');
  await compare('read_columns', '/columns', '/file-columns');
  const nginx = await startNginx(directory);
  if (nginx === undefined) console.log('read_unmasked_nginx: SKIPPED, nginx is not installed');
  else {
    await compare('read_unmasked_nginx', '/plain', '/file', 'nginx', nginx.base);
    await nginx.stop();
  }

  await save('source.parquet', request({ format: 'parquet' }));
  const parquet = join(directory, 'source.parquet');
  const oracle = await (await DuckDBInstance.create(':memory:')).connect();
  const started = performance.now();
  const copyBegun = process.cpuUsage();
  await oracle.run(`copy (select id, substr(name, 1, 1) || repeat('*', length(name) - 1) as name,
    substr(id_no, 1, 3) || repeat('*', length(id_no) - 7) || right(id_no, 4) as id_no, amount,
    date_trunc('month', day) as day from '${parquet}' where amount >= 1000 and id <> 7)
    to '${join(directory, 'copy.parquet')}' (format parquet, compression zstd)`);
  const copyMs = performance.now() - started;
  const copyCpu = cpuMs(copyBegun);
  const begun = performance.now();
  const firstBegun = process.cpuUsage();
  await save('file-masked', reads['/masked'] as ReadRequest);
  const firstMs = performance.now() - begun;
  const firstCpu = cpuMs(firstBegun);
  console.log(`read_masked_first: first read ${firstMs.toFixed(0)} ms, DuckDB's COPY ${copyMs.toFixed(0)} ms`);
  console.log(`read_masked_first: ${firstCpu.toFixed(0)} ms of CPU time, DuckDB ${copyCpu.toFixed(0)} ms`);
  console.log(`bench read_masked_first ratio ${(copyMs / firstMs).toFixed(2)}`);
  await compare('read_masked_later', '/masked', '/file-masked');

  const { size } = await stat(join(directory, 'file'));
  const slow = { clients: SLOW_READERS, mibASecond: size / (1024 * 1024) / 6 };
  for (const [name, path] of [
    ['read_slow', '/plain'],
    ['file server', '/file'],
  ] as const) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let peak = before;
    const sampler = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 50);
    await rateOf(path, slow);
    clearInterval(sampler);
    const each = Math.round((peak - before) / SLOW_READERS / 1024);
    console.log(`${name}: ${(before / 1e6).toFixed(0)} MB before, ${(peak / 1e6).toFixed(0)} MB at most`);
    console.log(`bench ${name.replace(' ', '_')}_memory KiB a reader ${each}`);
  }
} finally {
  server.close();
  await world.close();
  await rm(directory, { recursive: true });
}
process.exit(0);
