/**
 * MySQL and MariaDB: our decoder against mysql2 streaming row objects, from the same local MariaDB, turn and turn about,
 * each in a process of its own. `npm run bench:mysql [rows] [rounds]`.
 *
 * `mysql_plain` is mysql2's `query().stream()` with decimals and dates as text, whose objects are counted and dropped;
 * `mysql_execute` the same by prepared statements, the protocol that ours speaks; `mysql_arrow` puts the objects of the
 * first into Arrow columns with apache-arrow's builders, which is the work that ours does. Ratios are of the medians, the larger the better. The server
 * makes every row anew while we read, so of elapsed time its share is a floor for both: what a reader costs is the
 * ratio of CPU time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { argv, execPath, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execute, mariadbMissing, startMariadb } from '../test/support/mariadb.ts';

export interface Measured {
  rows: number;
  seconds: number;
  cpu: number;
  peakMb: number;
}

const roles = ['ours', 'plain', 'execute', 'arrow'] as const;
type Role = (typeof roles)[number];

const entry = fileURLToPath(new URL('./mysql-process.ts', import.meta.url));

async function measure(role: Role, url: string): Promise<Measured> {
  const child = spawn(execPath, ['--import', 'tsx', '--no-warnings', entry, role, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    await exited;
    return JSON.parse(line) as Measured;
  }
  throw new Error('a process of the bench ended without an answer');
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Ten columns as departments have them. */
async function fill(url: string, rows: number): Promise<void> {
  const digits = Array.from({ length: 10 }, (_, i) => `select ${i} as d`).join(' union all ');
  await execute(
    url,
    `create table residents (id bigint primary key, district int not null, resident char(18) not null,
       name varchar(40), address varchar(100) not null, fee decimal(18,4) not null, born date not null,
       changed datetime(6) not null, score double not null, active tinyint(1) not null)`,
    `create table digits as ${digits}`,
    `insert into residents
     select i, 440300 + i % 10, 44030019800101000 + i, if(i % 11 = 0, null, concat('居民', i)),
            concat('龙华区民治街道 Road ', i % 500), i % 100000 + (i % 10000) / 10000,
            date'1950-01-01' + interval i % 20000 day,
            timestamp'2024-05-06 07:08:09' + interval i % 1000000 microsecond, i / 7, i % 2
       from (select a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d + 1000000 * g.d as i
               from digits a, digits b, digits c, digits d, digits e, digits f, digits g) numbers where i < ${rows}`,
  );
}

async function compare(url: string, rows: number, rounds: number): Promise<void> {
  const results: Record<Role, Measured[]> = { ours: [], plain: [], execute: [], arrow: [] };
  for (let round = 0; round < rounds; round++) {
    for (const role of roles) {
      const measured = await measure(role, url);
      if (measured.rows !== rows) throw new Error(`${role} read ${measured.rows} of ${rows} rows`);
      results[role].push(measured);
    }
  }
  const seconds = (role: Role) => median(results[role].map((one) => one.seconds));
  const cpu = (role: Role) => median(results[role].map((one) => one.cpu));
  for (const role of roles) {
    const rate = Math.round(rows / seconds(role) / 1000);
    stdout.write(`${role}: ${rate}k rows/s, ${((cpu(role) * 1e6) / rows).toFixed(2)} µs of CPU a row\n`);
  }
  const peak = Math.max(...results.ours.map(({ peakMb }) => peakMb));
  for (const other of ['plain', 'execute', 'arrow'] as const) {
    const ratio = (seconds(other) / seconds('ours')).toFixed(2);
    const cpuRatio = (cpu(other) / cpu('ours')).toFixed(2);
    stdout.write(`bench mysql_${other} ratio ${ratio} cpu_ratio ${cpuRatio} peak_mb ${peak}\n`);
  }
}

if (mariadbMissing !== undefined) stdout.write(`bench mysql ${mariadbMissing}\n`);
else {
  const rows = Number(argv[2] ?? 500_000);
  const server = await startMariadb();
  const database = `bench_${process.pid}`;
  try {
    await execute(server.url(), `create database ${database} character set utf8mb4`);
    await fill(server.url(database), rows);
    await compare(server.url(database), rows, Number(argv[3] ?? 3));
    await execute(server.url(), `drop database ${database}`);
  } finally {
    await server.stop();
  }
}
