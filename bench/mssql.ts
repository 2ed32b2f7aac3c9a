/**
 * SQL Server: our decoder against plain `mssql` streaming, from the same local TDS server, turn and turn about, without
 * TLS and with it; then the cost of a cell by the number of columns. `npm run bench:mssql [rows] [rounds]`.
 *
 * The server is test/support/tds in a process of its own, which sends rows encoded beforehand: what is measured is the
 * client, once it is connected. Ratios are of the medians, the larger the better; on a machine that does other things
 * besides, that of CPU time is the one to look at.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { argv, execPath, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeIdentity } from '../test/support/tds/identity.ts';
import { cellCosts } from './mssql-cells.ts';

interface Measured {
  rows: number;
  seconds: number;
  cpu: number;
  peakMb: number;
}

const entry = fileURLToPath(new URL('./mssql-process.ts', import.meta.url));

function start(...args: string[]): ChildProcess {
  return spawn(execPath, ['--import', 'tsx', '--no-warnings', entry, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine<T>(child: ChildProcess): Promise<T> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return JSON.parse(line) as T;
  throw new Error('a process of the bench ended without an answer');
}

async function measure(role: 'ours' | 'plain', port: number, mode: string): Promise<Measured> {
  const child = start(role, String(port), mode);
  const exited = once(child, 'exit');
  const measured = await firstLine<Measured>(child);
  await exited;
  return measured;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function compare(mode: 'plain' | 'tls', rows: number, rounds: number): Promise<void> {
  const server = start('server', String(rows), mode);
  const { port } = await firstLine<{ port: number }>(server);
  const results: Record<'ours' | 'plain', Measured[]> = { ours: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    for (const role of ['ours', 'plain'] as const) {
      const measured = await measure(role, port, mode);
      if (measured.rows !== rows) throw new Error(`${role} read ${measured.rows} of ${rows} rows`);
      results[role].push(measured);
    }
  }
  server.stdin?.end();
  await once(server, 'exit');
  const [ours, plain] = [results.ours, results.plain].map((all) => median(all.map(({ seconds }) => seconds)));
  const peak = Math.max(...results.ours.map(({ peakMb }) => peakMb));
  const rate = (seconds: number | undefined) => `${Math.round(rows / (seconds ?? 1) / 1000)}k rows/s`;
  const cpu = median(results.plain.map((one) => one.cpu)) / median(results.ours.map((one) => one.cpu));
  stdout.write(`${mode}: ours ${rate(ours)}, mssql ${rate(plain)}; CPU ratio ${cpu.toFixed(2)}\n`);
  stdout.write(`bench mssql_${mode} ratio ${((plain ?? 0) / (ours ?? 1)).toFixed(2)} peak_mb ${peak}\n`);
}

const rows = Number(argv[2] ?? 500_000);
const rounds = Number(argv[3] ?? 3);
await compare('plain', rows, rounds);
if (makeIdentity() === undefined) stdout.write('tls: skipped, there is no openssl to make a certificate\n');
else await compare('tls', rows, rounds);
for (const { columns, nanoseconds } of cellCosts()) {
  stdout.write(`bench mssql_cell_${columns} ns ${nanoseconds.toFixed(1)}\n`);
}
