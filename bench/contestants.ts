/** Who is measured: each reads one table in a process of its own, so that its peak memory is its own. */
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleOf } from '../lib/bundle.ts';
import { generateBoxKeys } from '../lib/sealed-box.ts';
import type { BenchTable } from './extract-tables.ts';
import { serveFileStaging } from './file-staging.ts';
import { canImport, findPython, firstLine } from './python.ts';

export interface Measured {
  seconds: number;
  /** Absent for the baseline `psql`, which holds one row at a time. */
  peakMb?: number;
}

export interface Contestant {
  name: string;
  read(url: string, table: BenchTable, directory: string): Promise<Measured>;
}

/** `psql`, or what stands for it. */
export async function findBaseline(): Promise<Contestant> {
  const hasPsql = await run('psql', ['--version']).then(
    () => true,
    () => false,
  );
  return hasPsql ? psql : drain;
}

const psql: Contestant = {
  name: 'psql',
  async read(url, table) {
    const startedAt = performance.now();
    await run('psql', ['-X', '-q', '-d', url, '-c', copyOf(table)], 'ignore');
    return { seconds: (performance.now() - startedAt) / 1_000 };
  },
};

/** The same command over our own socket code, every row thrown away. */
const drain: Contestant = {
  name: 'raw drain (no psql here)',
  async read(url, table) {
    const bundle = await bundleOf(new URL('./drain-process.ts', import.meta.url));
    return JSON.parse(await run(process.execPath, [fileURLToPath(bundle), url, copyOf(table)])) as Measured;
  },
};

function copyOf(table: BenchTable): string {
  return `copy ${table.name} to stdout (format binary)`;
}

/** The pipeline as a department's worker runs it, with contract check, zstd, sums, hashing and staging over HTTP. */
export function pipeline(partitions: number): Contestant {
  return {
    name: `extract-${partitions}`,
    async read(url, table, directory) {
      await empty(directory);
      // Made before the clock starts, as a worker that has run before has them.
      const process_ = await bundleOf(new URL('./extract-process.ts', import.meta.url));
      const thread = await bundleOf(new URL('../pipeline/thread.ts', import.meta.url));
      const staging = await serveFileStaging(directory, assignmentOf(url, table, partitions));
      try {
        const args = [fileURLToPath(process_), staging.url, String(partitions), thread.href];
        return JSON.parse(await run(process.execPath, args)) as Measured;
      } finally {
        await staging.close();
      }
    },
  };
}

function assignmentOf(url: string, table: BenchTable, partitions: number) {
  return {
    runId: 'bench',
    generation: 1,
    dataset: `bench.${table.name}`,
    department: 'bench',
    source: { code: 'bench.db', kind: 'postgres', connection: { url } },
    table: { name: table.name },
    contract: table.contract,
    // As the others: the source's own totals would be a second scan.
    plan: { partitions, controlTotals: false },
    quarantineKey: generateBoxKeys().publicKey,
  };
}

/** What each needs: modules, and packages that have them. */
export const peerPackages = [
  'pyarrow',
  'adbc-driver-postgresql',
  'connectorx',
  'duckdb',
  'dlt',
  'sqlalchemy',
  'psycopg2-binary',
];
const peerModules = {
  adbc: ['adbc_driver_postgresql.dbapi', 'pyarrow'],
  connectorx: ['connectorx', 'pyarrow'],
  duckdb: ['duckdb'],
  dlt: ['dlt.sources.sql_database', 'psycopg2'],
};

/** Those whose packages are there. The others are named on standard error. */
export async function findPeers(): Promise<Contestant[]> {
  const python = await findPython();
  const script = fileURLToPath(new URL('./peers.py', import.meta.url));
  const found: Contestant[] = [];
  for (const [name, modules] of Object.entries(peerModules)) {
    if (!(await canImport(python, modules))) {
      process.stderr.write(`${name} is not installed (npm run bench -- --peers)\n`);
      continue;
    }
    const read = async (url: string, table: BenchTable, directory: string) => {
      await empty(directory);
      return JSON.parse(lastLine(await run(python, [script, name, url, table.name, directory]))) as Measured;
    };
    found.push({ name, read });
  }
  return found;
}

async function empty(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** What a command printed; `ignore` sends it to /dev/null. Its own words where it failed. */
async function run(command: string, args: string[], output: 'pipe' | 'ignore' = 'pipe'): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', output, 'pipe'] });
  let printed = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0)
    throw new Error(`${command} ended with code ${code}: ${firstLine({ stderr, message: 'it said nothing' })}`);
  return printed;
}
