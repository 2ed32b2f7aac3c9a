/**
 * The pipeline with contract check, zstd, hashing and staging, against `psql`'s binary COPY to /dev/null, and against
 * other ways to get a table out: the same tables, the same server, turn and turn about in one run.
 * `npm run bench [-- --scale 1 --rounds 5 --tables lineitem --peers --json]`; docs/reference/performance.md.
 *
 * Scale 1 is 6 million rows of lineitem and 2 million residents. Only ratios within one run mean anything: above 1 the
 * baseline is slower. A ratio is the median over the rounds, each against the baseline of its own round; a peak is the
 * largest.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../runtime/embedded/postgres.ts';
import { type Contestant, findBaseline, findPeers, type Measured, peerPackages, pipeline } from './contestants.ts';
import { type BenchTable, benchTables, makeTable } from './extract-tables.ts';
import { firstLine, installPackages } from './python.ts';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    tables: { type: 'string', default: benchTables.map((table) => table.name).join() },
    /** A server of yours, in whose database the tables are made where they are not there. */
    url: { type: 'string' },
    peers: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

interface Result {
  name: string;
  table: string;
  baseline: string;
  ratio: number;
  peakMb: number;
  seconds: number;
  baselineSeconds: number;
  rowsPerSecond: number;
}

/** So many times slower than the baseline, and one round is enough. */
const SLOW = 10;

/** A contestant that fails is told and left out; the baseline must not. */
async function measure(url: string, table: BenchTable, rows: number, directory: string): Promise<Result[]> {
  const baseline = await findBaseline();
  const contestants = [pipeline(1), pipeline(2), ...(await findPeers())];
  const times: number[] = [];
  const measured = new Map<Contestant, Measured[]>(contestants.map((contestant) => [contestant, []]));
  // Once unmeasured: the table is in memory for everyone.
  await baseline.read(url, table, directory);
  for (let round = 0; round < Number(options.rounds); round++) {
    times.push((await baseline.read(url, table, directory)).seconds);
    for (const [contestant, runs] of measured) {
      if (runs.some((one) => one.seconds > SLOW * times[0]!)) continue;
      try {
        runs.push(await contestant.read(url, table, directory));
      } catch (e) {
        process.stderr.write(`${contestant.name} on ${table.name}: ${firstLine(e)}\n`);
        measured.delete(contestant);
      }
    }
    const told = [...measured].map(([{ name }, runs]) => `${name} ${runs.at(round)?.seconds.toFixed(2) ?? '-'}`);
    const line = [`${baseline.name} ${times[round]!.toFixed(2)}`, ...told].join(', ');
    process.stderr.write(`${table.name} round ${round + 1}: ${line} (load ${loadavg()[0]!.toFixed(1)})\n`);
  }
  return [...measured].map(([{ name }, runs]) => {
    const seconds = median(runs.map((one) => one.seconds));
    return {
      name: `${name}-${table.name}`,
      table: table.name,
      baseline: baseline.name,
      ratio: median(runs.map((one, round) => times[round]! / one.seconds)),
      peakMb: Math.max(...runs.map((one) => one.peakMb ?? 0)),
      seconds,
      baselineSeconds: median(times),
      rowsPerSecond: rows / seconds,
    };
  });
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function print(results: Result[]): void {
  console.log(`${'name'.padEnd(24)}${'s'.padStart(8)}${'baseline s'.padStart(12)}${'rows/s'.padStart(12)}`);
  for (const { name, seconds, baselineSeconds, rowsPerSecond } of results) {
    const cells = [seconds.toFixed(2).padStart(8), baselineSeconds.toFixed(2).padStart(12)];
    console.log(`${name.padEnd(24)}${cells.join('')}${String(Math.round(rowsPerSecond)).padStart(12)}`);
  }
  for (const { name, ratio, peakMb } of results) {
    console.log(`bench ${name} ratio ${ratio.toFixed(2)} peak_mb ${Math.round(peakMb)}`);
  }
}

async function compare(url: string, directory: string): Promise<Result[]> {
  const client = new pg.Client(url);
  await client.connect();
  const results: Result[] = [];
  const scale = Number(options.scale);
  for (const table of benchTables.filter(({ name }) => options.tables.split(',').includes(name))) {
    const exists = await client.query('select to_regclass($1) is not null as is', [table.name]);
    const made = exists.rows[0].is ? 'as it was found' : await makeTable(client, table, scale, directory);
    const rows = Number((await client.query(`select count(*) from ${table.name}`)).rows[0].count);
    process.stderr.write(`${table.name}: ${rows} rows, ${made}\n`);
    results.push(...(await measure(url, table, rows, join(directory, 'staged'))));
  }
  await client.end();
  return results;
}

const directory = await mkdtemp(join(tmpdir(), 'huitong-bench-'));
const settings = ['shared_buffers=1GB', 'fsync=off', 'max_wal_size=8GB'];
const postgres = options.url ? undefined : await startPostgres({ directory: join(directory, 'postgres'), settings });
try {
  if (options.peers) await installPackages(peerPackages);
  const load = loadavg()[0]!;
  const results = await compare(options.url ?? (await postgres!.database('bench')), directory);
  const machine = {
    processors: cpus().length,
    processor: cpus()[0]?.model,
    loadBefore: load,
    loadAfter: loadavg()[0]!,
  };
  if (options.json) console.log(JSON.stringify({ scale: Number(options.scale), machine, results }, null, 2));
  else {
    print(results);
    console.log(
      `baseline: ${results[0]?.baseline}; load ${load.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after`,
    );
  }
} finally {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
}
