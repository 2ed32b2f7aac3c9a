/**
 * Files: our decoder against the ordinary way, from the same file, turn and turn about in one process.
 * `npm run bench:files [rows] [rounds]`.
 *
 * The ordinary way makes an object of each row (csv-parse with `columns`; JSON.parse a line), turns its texts into
 * values, and puts them into Arrow columns with apache-arrow's builders: what ours does, without its exactness (decimals
 * become doubles, large integers BigInt). `objects` makes the objects and drops them. Ratios are of the medians of CPU
 * time, which the machine's other work disturbs least; the larger the better for us.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, cpuUsage, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import {
  Bool,
  type Builder,
  DateDay,
  Float64,
  Int32,
  Int64,
  makeBuilder,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import { parse } from 'csv-parse';
import type { FilesConfig } from '../connectors/files/config.ts';
import { files } from '../connectors/files/index.ts';
import { limits } from '../lib/limits.ts';

const types: Record<string, string> = {
  id: 'int64',
  district: 'int32',
  resident: 'text',
  name: 'text',
  address: 'text',
  fee: 'decimal(18,4)',
  born: 'date',
  changed: 'timestamp',
  score: 'float64',
  active: 'bool',
};
const names = Object.keys(types);
type Row = Record<string, string | number | boolean | null>;
type Contestant = (path: string) => Promise<number>;

function rowOf(i: number): Row {
  const born = new Date(-600_000_000_000 + (i % 20_000) * 86_400_000).toISOString().slice(0, 10);
  return {
    id: i,
    district: 440_300 + (i % 10),
    resident: `44030019800101${String(i % 10_000).padStart(4, '0')}`,
    name: i % 11 === 0 ? null : `居民${i}`,
    address: `龙华区民治街道, Road ${i % 500}`,
    fee: Number(`${i % 100_000}.${String(i % 10_000).padStart(4, '0')}`),
    born,
    changed: `2024-05-06 07:08:09.${String(i % 1_000_000).padStart(6, '0')}`,
    score: i / 7,
    active: i % 2 === 0,
  };
}

async function writeFiles(folder: string, rows: number): Promise<void> {
  const csv = createWriteStream(join(folder, 'a.csv'));
  const json = createWriteStream(join(folder, 'a.jsonl'));
  csv.write(`${names.join(',')}\r\n`);
  for (let i = 0; i < rows; i++) {
    const row = rowOf(i);
    const cells = names.map((name) => (name === 'address' ? `"${row[name]}"` : String(row[name] ?? '')));
    csv.write(`${cells.join(',')}\r\n`);
    if (!json.write(`${JSON.stringify(row)}\n`)) await once(json, 'drain');
  }
  await Promise.all([csv, json].map((stream) => once(stream.end(), 'finish')));
}

const ours =
  (name: string): Contestant =>
  async (path) => {
    const config: FilesConfig = { folder: path.slice(0, path.lastIndexOf('/')), tables: { [name]: { types } } };
    const context = { signal: new AbortController().signal, label: 'huitong/bench' };
    const snapshot = await files.openSnapshot(config, context);
    try {
      const plan = await files.plan(snapshot, { table: { name } }, { partitions: 1 });
      const { batchRowsMax, batchBytesMax } = limits;
      let rows = 0;
      for (const partition of plan.partitions) {
        const request = { plan, partition, batchRowsMax, batchBytesMax };
        for await (const { batch, unrepresentable } of files.read(config, request, context)) {
          if (unrepresentable.length > 0) throw new Error(`cells were refused: ${unrepresentable[0]?.code}`);
          rows += batch.numRows;
        }
      }
      return rows;
    } finally {
      await snapshot.close();
    }
  };

async function* csvObjects(path: string): AsyncGenerator<Row> {
  yield* createReadStream(path).pipe(parse({ columns: true, bom: true }));
}

async function* jsonObjects(path: string): AsyncGenerator<Row> {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line) as Row;
}

type Objects = (path: string) => AsyncGenerator<Row>;

const objectsOnly =
  (objects: Objects): Contestant =>
  async (path) => {
    let rows = 0;
    for await (const _ of objects(path)) rows++;
    return rows;
  };

type Value = string | number | bigint | boolean | Date | null;

/** By type: a column's builder, and the value of a cell that is text (CSV) or already a value (JSON). */
const columns: Record<string, () => { builder: Builder; value: (cell: Row[string]) => Value }> = {
  text: () => ({ builder: makeBuilder({ type: new Utf8() }), value: (cell) => cell as string }),
  int32: () => ({ builder: makeBuilder({ type: new Int32() }), value: Number }),
  int64: () => ({ builder: makeBuilder({ type: new Int64() }), value: (cell) => BigInt(cell as string | number) }),
  float64: () => ({ builder: makeBuilder({ type: new Float64() }), value: Number }),
  // Its builder takes no text: the ordinary way would lose digits here.
  'decimal(18,4)': () => ({ builder: makeBuilder({ type: new Float64() }), value: Number }),
  bool: () => ({ builder: makeBuilder({ type: new Bool() }), value: (cell) => cell === true || cell === 'true' }),
  date: () => ({ builder: makeBuilder({ type: new DateDay() }), value: (cell) => new Date(cell as string) }),
  timestamp: () => ({
    builder: makeBuilder({ type: new TimestampMicrosecond() }),
    value: (cell) => Date.parse(`${cell}Z`),
  }),
};

const objectsToArrow =
  (objects: Objects): Contestant =>
  async (path) => {
    let rows = 0;
    let builders = names.map((name) => ({ name, ...columns[types[name]!]!() }));
    for await (const row of objects(path)) {
      for (const { name, builder, value } of builders) {
        const cell = row[name];
        builder.append(cell === null || cell === undefined || cell === '' ? null : value(cell));
      }
      if (++rows % limits.batchRowsMax !== 0) continue;
      for (const { builder } of builders) builder.finish().flush();
      builders = names.map((name) => ({ name, ...columns[types[name]!]!() }));
    }
    for (const { builder } of builders) builder.finish().flush();
    return rows;
  };

const formats: Record<string, { file: string; contestants: Record<string, Contestant> }> = {
  csv: {
    file: 'a.csv',
    contestants: { ours: ours('a.csv'), objects: objectsOnly(csvObjects), arrow: objectsToArrow(csvObjects) },
  },
  json_lines: {
    file: 'a.jsonl',
    contestants: { ours: ours('a.jsonl'), objects: objectsOnly(jsonObjects), arrow: objectsToArrow(jsonObjects) },
  },
};

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function compare(folder: string, rows: number, rounds: number): Promise<void> {
  for (const [format, { file, contestants }] of Object.entries(formats)) {
    const path = join(folder, file);
    const cpu: Record<string, number[]> = {};
    for (let round = 0; round <= rounds; round++) {
      for (const [name, read] of Object.entries(contestants)) {
        const before = cpuUsage();
        const found = await read(path);
        const { user, system } = cpuUsage(before);
        if (found !== rows) throw new Error(`${name} read ${found} of ${rows} rows`);
        // The first round warms up.
        if (round > 0) cpu[name] = [...(cpu[name] ?? []), (user + system) / 1e6];
      }
    }
    const of = (name: string) => median(cpu[name] ?? []);
    const megabytes = (await stat(path)).size / 1e6;
    for (const name of Object.keys(contestants)) {
      const rate = (megabytes / of(name)).toFixed(0);
      stdout.write(`${format} ${name}: ${((of(name) * 1e6) / rows).toFixed(2)} µs of CPU a row, ${rate} MB/s\n`);
    }
    stdout.write(`bench files_${format} ratio ${(of('arrow') / of('ours')).toFixed(1)}\n`);
    stdout.write(`bench files_${format}_objects ratio ${(of('objects') / of('ours')).toFixed(1)}\n`);
  }
}

const rows = Number(argv[2] ?? 300_000);
const folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-bench-files-')));
try {
  await writeFiles(folder, rows);
  await compare(folder, rows, Number(argv[3] ?? 3));
} finally {
  await rm(folder, { recursive: true });
}
