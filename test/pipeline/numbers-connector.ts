/** A source that makes its rows up, in every reading thread alike; its configuration says what goes wrong. */

import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Field, Int32, Int64, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import type { CompileContract } from '../../contracts/contract.ts';
import { HuitongError } from '../../lib/errors.ts';

export interface NumbersConfig {
  /** Rows of each partition. */
  partitions: number[];
  batchRows: number;
  /** Keys by global row number, where they differ from it; null for a null key. */
  keys?: Record<number, number | null>;
  /** Global row numbers whose age breaks the contract. */
  bad?: number[];
  /** Reading a partition fails after its first batch, once: the file remembers. */
  failOnce?: { partition: number; code: 'SOURCE_UNREACHABLE' | 'SNAPSHOT_LOST' | 'SOURCE_AUTH'; memory: string };
  uniqueKeys?: string[][];
  /** Added to the source's own sum of `age`. */
  sumError?: number;
  totalsText?: string;
  delayMs?: number;
  /** Lines of what happened. */
  log?: string;
  /** A line for each batch: when it was read, in milliseconds. */
  times?: string;
}

interface Range {
  first: number;
  rows: number;
}

const schema = new Schema([
  new Field('id', new Int64(), true),
  new Field('姓名', new Utf8(), true),
  new Field('age', new Int32(), true),
]);

const ageOf = (config: NumbersConfig, row: number) => (config.bad?.includes(row) ? -1 : row % 90);
const keyOf = (config: NumbersConfig, row: number) =>
  config.keys !== undefined && row in config.keys ? config.keys[row]! : row;

function batchOf(config: NumbersConfig, first: number, rows: number): RecordBatch {
  const numbers = Array.from({ length: rows }, (_, i) => first + i);
  const columns = [
    numbers.map((row) => keyOf(config, row)).map((key) => (key === null ? null : BigInt(key))),
    numbers.map((row) => `居民${row}`),
    numbers.map((row) => ageOf(config, row)),
  ];
  const children = schema.fields.map((field, i) => vectorFromArray(columns[i]!, field.type).data[0]!);
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }));
}

const rangesOf = (config: NumbersConfig): Range[] =>
  config.partitions.map((rows, i) => ({ first: config.partitions.slice(0, i).reduce((a, b) => a + b, 0), rows }));

const note = (config: NumbersConfig, line: string) => {
  if (config.log !== undefined) appendFileSync(config.log, `${line}\n`);
};

interface NumbersSnapshot extends Snapshot {
  config: NumbersConfig;
}

export const numbers: Connector<NumbersConfig, NumbersSnapshot, Range> = {
  kind: 'numbers',
  title: { zh: '数字', en: 'Numbers' },
  configSchema: { type: 'object' },
  capabilities: { snapshot: 'exported', partitioning: true, cursor: false, changeCapture: false },
  check: async () => ({ ok: true, steps: [{ name: 'connect', ok: true, message: 'made up' }] }),
  discover: async () => [{ name: 'people', kind: 'table', columns: [], primaryKey: ['id'], uniqueKeys: [['id']] }],
  async openSnapshot(config) {
    const rows = config.partitions.reduce((a, b) => a + b, 0);
    const total = Array.from({ length: rows }, (_, row) => ageOf(config, row)).reduce((a, b) => a + b, 0);
    return {
      config,
      guarantee: 'snapshot',
      openedAt: new Date(0),
      controlTotals: async () => ({ rows, sums: { age: config.totalsText ?? String(total + (config.sumError ?? 0)) } }),
      assertAlive: async () => note(config, 'assertAlive'),
      close: async () => note(config, 'snapshot closed'),
    };
  },
  plan: async ({ config }) => ({
    table: { name: 'people' },
    columns: schema.fields.map(({ name }) => ({ name, sourceType: 'made up', nullable: true })),
    partitions: rangesOf(config),
    guarantee: 'snapshot',
    description: { made: 'up' },
    uniqueKeys: config.uniqueKeys ?? [],
  }),
  async *read(config, { partition }, { signal }) {
    try {
      for (let done = 0; done < partition.rows; done += config.batchRows) {
        if (config.delayMs !== undefined) await wait(config.delayMs, undefined, { signal });
        if (config.times !== undefined) appendFileSync(config.times, `${Date.now()}\n`);
        const rows = Math.min(config.batchRows, partition.rows - done);
        yield { batch: batchOf(config, partition.first + done, rows), unrepresentable: [] };
        fail(config, partition);
      }
    } finally {
      note(config, 'reader closed');
    }
  },
  arrowSchema: () => schema,
};

function fail(config: NumbersConfig, partition: Range): void {
  const failure = config.failOnce;
  if (failure === undefined || rangesOf(config)[failure.partition]!.first !== partition.first) return;
  if (existsSync(failure.memory)) return;
  writeFileSync(failure.memory, 'failed');
  throw new HuitongError(failure.code, 'made up');
}

/** Ages are not negative, and keys are there. */
export const compileAges: CompileContract = (document) => ({
  document,
  key: document.key,
  routes: [],
  check(batch) {
    const [ids, , ages] = batch.data.children;
    const errors = Array.from({ length: batch.numRows }, (_, row) => [
      ...(ages!.values[row] < 0 ? [{ row, pointer: '/age', code: 'MINIMUM' }] : []),
      ...(ids!.getValid(row) ? [] : [{ row, pointer: '/id', code: 'KEY_NULL' }]),
    ]);
    const failed = errors.filter((of) => of.length > 0).length;
    const mask = failed === 0 ? null : Uint8Array.from(errors, (of) => Number(of.length > 0));
    return { failed, mask, errors: () => errors.flat() };
  },
});
