/**
 * The processes of bench/mssql.ts, so that each has its own memory and CPU: `server`, which sends the same encoded
 * rows over and over, and the two readers, `ours` and `plain`. They speak JSON lines on stdout.
 */
import { argv, cpuUsage, exit, resourceUsage, stdin, stdout } from 'node:process';
import sql from 'mssql';
import { mssql } from '../connectors/mssql/index.ts';
import { limits } from '../lib/limits.ts';
import { answerAs, type FakeColumn } from '../test/support/tds/database.ts';
import { makeIdentity } from '../test/support/tds/identity.ts';
import { startTdsServer } from '../test/support/tds/server.ts';
import * as tokens from '../test/support/tds/tokens.ts';
import * as tds from '../test/support/tds/types.ts';

const ROWS_ENCODED = 2_000;

/** Ten columns as departments have them, and one with text alone. */
export const columns: FakeColumn[] = [
  { name: 'id', declared: 'bigint', type: tds.integer(8) },
  { name: 'district', declared: 'int', type: tds.integer(4) },
  { name: 'resident', declared: 'nvarchar(18)', type: tds.nvarchar(18) },
  { name: 'name', declared: 'nvarchar(40)', type: tds.nvarchar(40) },
  { name: 'address', declared: 'nvarchar(100)', type: tds.nvarchar(100) },
  { name: 'fee', declared: 'decimal(18,4)', type: tds.decimal(18, 4) },
  { name: 'born', declared: 'date', type: tds.date() },
  { name: 'changed', declared: 'datetime2(6)', type: tds.datetime2(6) },
  { name: 'score', declared: 'float', type: tds.float() },
  { name: 'active', declared: 'bit', type: tds.bit() },
];

export function rowOf(i: number): (string | null)[] {
  return [
    String(i),
    String(440_300 + (i % 10)),
    String(44_030_019_800_101_000n + BigInt(i)),
    i % 11 === 0 ? null : `居民${i}`,
    `龙华区民治街道 Road ${i % 500}`,
    `${i % 100_000}.${String(i % 10_000).padStart(4, '0')}`,
    `19${String(50 + (i % 50))}-0${1 + (i % 9)}-1${i % 10}`,
    `2024-05-06 07:08:09.${String(i % 1_000_000).padStart(6, '0')}`,
    String(i / 7),
    String(i % 2),
  ];
}

async function serve(rows: number, tls: boolean): Promise<void> {
  const encoded = Buffer.concat(Array.from({ length: ROWS_ENCODED }, (_, i) => tokens.row(columns, rowOf(i))));
  const identity = tls ? makeIdentity() : undefined;
  const server = await startTdsServer({
    ...(identity === undefined ? {} : { tls: identity }),
    answer: answerAs({
      tables: [
        {
          name: 'residents',
          columns,
          send: async (reply) => {
            for (let sent = 0; sent < rows && !reply.signal.aborted; sent += ROWS_ENCODED) {
              await reply.rawRows(encoded, ROWS_ENCODED);
            }
          },
        },
      ],
    }),
  });
  stdout.write(`${JSON.stringify({ port: server.port })}\n`);
  stdin.resume();
  stdin.once('end', () => exit(0));
}

async function readOurs(port: number, tls: boolean, begin: () => void): Promise<number> {
  const context = { signal: new AbortController().signal, label: 'huitong/bench' };
  const config = {
    server: '127.0.0.1',
    port,
    database: 'bench',
    user: 'bench',
    encrypt: tls,
    trustServerCertificate: true,
  };
  const snapshot = await mssql.openSnapshot(config, context);
  const plan = await mssql.plan(snapshot, { table: { name: 'residents' } }, { partitions: 1 });
  await snapshot.close();
  begin();
  const { batchRowsMax, batchBytesMax } = limits;
  let rows = 0;
  const request = { plan, partition: { table: plan.table }, batchRowsMax, batchBytesMax };
  for await (const { batch } of mssql.read(config, request, context)) rows += batch.numRows;
  return rows;
}

async function readPlain(port: number, tls: boolean, begin: () => void): Promise<number> {
  const pool = await sql.connect({
    server: '127.0.0.1',
    port,
    database: 'bench',
    user: 'bench',
    password: 'x',
    requestTimeout: 0,
    options: { encrypt: tls, trustServerCertificate: true },
  });
  pool.on('error', () => exit(1));
  const request = pool.request();
  request.stream = true;
  let rows = 0;
  request.on('row', () => {
    rows++;
  });
  const done = new Promise((resolve, reject) => {
    request.once('done', resolve);
    request.once('error', reject);
  });
  begin();
  void request.query(`select ${columns.map(({ name }) => `[${name}]`).join(', ')} from [dbo].[residents]`);
  await done;
  await pool.close();
  return rows;
}

async function main([role, number, tlsText]: string[]): Promise<void> {
  const tls = tlsText === 'tls';
  if (role === 'server') return serve(Number(number), tls);
  let [started, used] = [performance.now(), cpuUsage()];
  const begin = () => {
    [started, used] = [performance.now(), cpuUsage()];
  };
  const rows = await (role === 'ours' ? readOurs : readPlain)(Number(number), tls, begin);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = cpuUsage(used);
  const cpu = (user + system) / 1e6;
  const { maxRSS } = resourceUsage();
  stdout.write(`${JSON.stringify({ rows, seconds, cpu, peakMb: Math.round(maxRSS / 1024) })}\n`);
}

await main(argv.slice(2));
