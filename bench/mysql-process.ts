/** The readers of bench/mysql.ts, so that each has its own memory and CPU. They print one line of JSON. */
import { argv, cpuUsage, resourceUsage, stdout } from 'node:process';
import { DateDay, Float64, Int8, Int32, Int64, makeBuilder, TimestampMicrosecond, Utf8 } from 'apache-arrow';
import { type Connection, createConnection } from 'mysql2';
import { mysql } from '../connectors/mysql/index.ts';
import { limits } from '../lib/limits.ts';

async function readOurs(url: string, begin: () => void): Promise<number> {
  const context = { signal: new AbortController().signal, label: 'huitong/bench' };
  const config = { url };
  const snapshot = await mysql.openSnapshot(config, context);
  const plan = await mysql.plan(snapshot, { table: { name: 'residents' } }, { partitions: 1 });
  await snapshot.close();
  begin();
  const { batchRowsMax, batchBytesMax } = limits;
  let rows = 0;
  for (const partition of plan.partitions) {
    const batches = mysql.read(config, { plan, partition, batchRowsMax, batchBytesMax }, context);
    for await (const { batch } of batches) rows += batch.numRows;
  }
  return rows;
}

/** Row objects into Arrow columns, as one would without a decoder; decimals stay text. */
function collector(): (row: Record<string, unknown>) => void {
  const columns = {
    id: [makeBuilder({ type: new Int64() }), (v: unknown) => BigInt(v as string)],
    district: [makeBuilder({ type: new Int32() })],
    resident: [makeBuilder({ type: new Utf8() })],
    name: [makeBuilder({ type: new Utf8() })],
    address: [makeBuilder({ type: new Utf8() })],
    fee: [makeBuilder({ type: new Utf8() })],
    born: [makeBuilder({ type: new DateDay() }), (v: unknown) => new Date(v as string)],
    changed: [makeBuilder({ type: new TimestampMicrosecond() }), (v: unknown) => milliseconds(v as string)],
    score: [makeBuilder({ type: new Float64() })],
    active: [makeBuilder({ type: new Int8() })],
  } as const;
  const list = Object.entries(columns).map(([name, [builder, convert]]) => ({
    name,
    builder: builder as { append(value: unknown): unknown; length: number; flush(): unknown },
    convert,
  }));
  return (row) => {
    for (const { name, builder, convert } of list) {
      const value = row[name];
      builder.append(value === null || convert === undefined ? value : convert(value));
      if (builder.length >= limits.batchRowsMax) builder.flush();
    }
  };
}

/** apache-arrow's builder wants milliseconds, whatever the unit. */
function milliseconds(text: string): number {
  return Date.parse(`${text.slice(0, 19)}Z`) + Number(text.slice(20)) / 1000;
}

type Objects = 'plain' | 'execute' | 'arrow';

async function readObjects(url: string, role: Objects, begin: () => void): Promise<number> {
  const connection: Connection = createConnection({
    uri: url,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
  });
  await new Promise<void>((resolve, reject) => connection.connect((cause) => (cause ? reject(cause) : resolve())));
  begin();
  const sql = 'select * from residents';
  let rows = 0;
  const stream = role === 'execute' ? connection.execute(sql).stream() : connection.query(sql).stream();
  const collect = role === 'arrow' ? collector() : undefined;
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (row) => {
      collect?.(row);
      rows++;
    });
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  connection.destroy();
  return rows;
}

async function main([role, url = '']: string[]): Promise<void> {
  let [started, used] = [performance.now(), cpuUsage()];
  const begin = () => {
    [started, used] = [performance.now(), cpuUsage()];
  };
  const rows = role === 'ours' ? await readOurs(url, begin) : await readObjects(url, role as Objects, begin);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = cpuUsage(used);
  const { maxRSS } = resourceUsage();
  const peakMb = Math.round(maxRSS / 1024);
  stdout.write(`${JSON.stringify({ rows, seconds, cpu: (user + system) / 1e6, peakMb })}\n`);
}

await main(argv.slice(2));
