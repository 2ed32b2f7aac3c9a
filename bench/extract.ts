/**
 * The pipeline with contract check, zstd, hashing and staging, against `psql`'s binary COPY to /dev/null: the same
 * tables, the same server, turn and turn about in one run. `npm run bench [-- --scale 1 --rounds 3 --json]`.
 *
 * Scale 1 is 6 million rows of lineitem and 2 million residents. Only ratios within one run mean anything: above 1 the
 * pipeline is faster. The median of the rounds is shown; the peak is the largest.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { generateBoxKeys } from '../lib/sealed-box.ts';
import { startPostgres } from '../runtime/embedded/postgres.ts';
import { type BenchTable, benchTables } from './extract-tables.ts';
import { serveFileStaging } from './file-staging.ts';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '0.1' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

interface Measured {
  seconds: number;
  peakMb: number;
  storedMb: number;
  rows: number;
}

interface Result {
  name: string;
  ratio: number;
  peakMb: number;
  seconds: number;
  psqlSeconds: number;
  rowsPerSecond: number;
  storedMb: number;
}

/** Exit code, time, and what was printed; standard output goes to /dev/null unless it is wanted. */
async function run(
  command: string,
  args: string[],
  wantsOutput: boolean,
): Promise<{ seconds: number; output: string }> {
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', wantsOutput ? 'pipe' : 'ignore', 'inherit'] });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`${command} ended with code ${code}`);
  return { seconds: (performance.now() - startedAt) / 1_000, output };
}

async function extractOnce(url: string, table: BenchTable, partitions: number, directory: string): Promise<Measured> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  const staging = await serveFileStaging(directory, {
    runId: 'bench',
    generation: 1,
    dataset: `bench.${table.name}`,
    department: 'bench',
    source: { code: 'bench.db', kind: 'postgres', connection: { url } },
    table: { name: table.name },
    contract: table.contract,
    // As psql: the source's own totals would be a second scan.
    plan: { partitions, controlTotals: false },
    quarantineKey: generateBoxKeys().publicKey,
  });
  try {
    const entry = fileURLToPath(new URL('./extract-process.ts', import.meta.url));
    const { output } = await run(process.execPath, ['--import', 'tsx', entry, staging.url, String(partitions)], true);
    return JSON.parse(output) as Measured;
  } finally {
    await staging.close();
  }
}

async function measure(url: string, table: BenchTable, directory: string): Promise<Result[]> {
  const copy = ['-X', '-q', '-d', url, '-c', `copy ${table.name} to stdout (format binary)`];
  // Once unmeasured: the table is in memory for everyone.
  await run('psql', copy, false);
  const psql: number[] = [];
  const ours: Record<number, Measured[]> = { 1: [], 2: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    psql.push((await run('psql', copy, false)).seconds);
    for (const partitions of [1, 2]) ours[partitions]!.push(await extractOnce(url, table, partitions, directory));
  }
  return [1, 2].map((partitions) => {
    const runs = ours[partitions]!;
    const seconds = median(runs.map((one) => one.seconds));
    return {
      name: `extract-${table.name}-${partitions}`,
      ratio: median(psql) / seconds,
      peakMb: Math.max(...runs.map((one) => one.peakMb)),
      seconds,
      psqlSeconds: median(psql),
      rowsPerSecond: runs[0]!.rows / seconds,
      storedMb: runs[0]!.storedMb,
    };
  });
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const directory = await mkdtemp(join(tmpdir(), 'huitong-bench-'));
const settings = ['shared_buffers=1GB', 'fsync=off', 'max_wal_size=8GB'];
const postgres = await startPostgres({ directory: join(directory, 'postgres'), settings });
try {
  const url = await postgres.database('bench');
  const client = new pg.Client(url);
  await client.connect();
  const results: Result[] = [];
  for (const table of benchTables) {
    await client.query(table.sql(table.rows(Number(options.scale))));
    await client.query(`vacuum (freeze, analyze) ${table.name}`);
    results.push(...(await measure(url, table, join(directory, 'staged'))));
  }
  await client.end();
  if (options.json) console.log(JSON.stringify({ scale: Number(options.scale), results }, null, 2));
  for (const { name, ratio, peakMb, rowsPerSecond, seconds, psqlSeconds } of options.json ? [] : results) {
    console.log(
      `${name}: ${seconds.toFixed(2)} s, psql ${psqlSeconds.toFixed(2)} s, ${Math.round(rowsPerSecond)} rows/s`,
    );
    console.log(`bench ${name} ratio ${ratio.toFixed(2)} peak_mb ${Math.round(peakMb)}`);
  }
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
