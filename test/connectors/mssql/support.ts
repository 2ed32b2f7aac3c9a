import { DataType, type Vector } from 'apache-arrow';
import type { SourceBatch, TableRequest } from '../../../connectors/connector.ts';
import type { MssqlConfig } from '../../../connectors/mssql/config.ts';
import { mssql } from '../../../connectors/mssql/index.ts';
import { limits } from '../../../lib/limits.ts';
import { answerAs, type FakeDatabase } from '../../support/tds/database.ts';
import { type TdsServer, type TdsServerOptions, withTdsServer } from '../../support/tds/server.ts';

/** In no report, error or log. */
export const CANARY = 'canary-3f9a-密码';

export function quiet(signal = new AbortController().signal) {
  return { signal, label: 'huitong/test' };
}

export function configFor({ port }: { port: number }, more: Partial<MssqlConfig> = {}): MssqlConfig {
  return { server: '127.0.0.1', port, database: 'health', user: 'reader', password: CANARY, encrypt: false, ...more };
}

/** A server with these tables; who logs in must be `reader` with the canary. */
export function withDatabase<T>(
  database: FakeDatabase,
  body: (config: MssqlConfig, server: TdsServer) => Promise<T>,
  options: Partial<TdsServerOptions> = {},
): Promise<T> {
  const failures: unknown[] = [];
  const server = {
    users: { reader: CANARY },
    databases: ['health'],
    answer: answerAs(database),
    onFailure: (cause: unknown) => failures.push(cause),
    ...options,
  };
  return withTdsServer(server, async (running) => {
    const value = await body(configFor(running), running);
    if (failures.length > 0) throw failures[0];
    return value;
  });
}

export interface Cut {
  batchRowsMax?: number;
  batchBytesMax?: number;
}

/** Plans and reads a table; `take` sees each batch before the next one overwrites it. */
export async function readTable(
  config: MssqlConfig,
  request: TableRequest,
  take: (batch: SourceBatch) => void | Promise<void>,
  cut: Cut = {},
  signal?: AbortSignal,
): Promise<void> {
  const snapshot = await mssql.openSnapshot(config, quiet(signal));
  try {
    const plan = structuredClone(await mssql.plan(snapshot, request, { partitions: 2 }));
    const { batchRowsMax = limits.batchRowsMax, batchBytesMax = limits.batchBytesMax } = cut;
    for (const partition of plan.partitions) {
      const reading = mssql.read(config, { plan, partition, batchRowsMax, batchBytesMax }, quiet(signal));
      for await (const batch of reading) await take(batch);
    }
  } finally {
    await snapshot.close();
  }
}

/** Every row as texts, in SQL Server's own form; cells that Arrow cannot hold are null. */
export async function readTexts(
  config: MssqlConfig,
  request: TableRequest,
  cut: Cut = {},
): Promise<{ names: string[]; rows: (string | null)[][]; unrepresentable: SourceBatch['unrepresentable'] }> {
  const rows: (string | null)[][] = [];
  const unrepresentable: SourceBatch['unrepresentable'] = [];
  let names: string[] = [];
  await readTable(
    config,
    request,
    ({ batch, unrepresentable: cells }) => {
      names = batch.schema.fields.map((field) => field.name);
      unrepresentable.push(...cells.map((cell) => ({ ...cell, row: cell.row + rows.length })));
      const vectors = names.map((_, i) => batch.getChildAt(i) as Vector);
      for (let row = 0; row < batch.numRows; row++) rows.push(vectors.map((vector) => cellText(vector, row)));
    },
    cut,
  );
  return { names, rows, unrepresentable };
}

/** As SQL Server would show the cell; floats in JavaScript's shortest form. */
export function cellText(vector: Vector, row: number): string | null {
  if (!vector.isValid(row)) return null;
  const { type } = vector;
  const values = vector.data[0]?.values;
  if (DataType.isBool(type)) return vector.get(row) ? '1' : '0';
  if (DataType.isDecimal(type)) return decimalText(vector.get(row) as Uint32Array, type.scale);
  if (DataType.isDate(type)) return isoText(BigInt(values[row] as number) * 86_400_000_000_000n).slice(0, 10);
  if (DataType.isTimestamp(type)) return isoText((values[row] as bigint) * 1000n);
  if (DataType.isTime(type)) return isoText(values[row] as bigint).slice(11);
  if (DataType.isBinary(type)) return `0x${Buffer.from(vector.get(row)).toString('hex')}`;
  if (DataType.isFixedSizeBinary(type))
    return type.byteWidth === 16 ? uuidText(vector.get(row)) : hexText(vector.get(row));
  if (DataType.isStruct(type)) return [0, 1].map((i) => cellText(vector.getChildAt(i) as Vector, row)).join('|');
  const value: unknown = vector.get(row);
  return Object.is(value, -0) ? '-0' : String(value);
}

function decimalText(words: Uint32Array, scale: number): string {
  const value = BigInt.asIntN(
    128,
    words.reduceRight((all, word) => (all << 32n) | BigInt(word), 0n),
  );
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

/** `YYYY-MM-DD hh:mm:ss.nnnnnnnnn`. */
function isoText(nanoseconds: bigint): string {
  const second = 1_000_000_000n;
  const fraction = ((nanoseconds % second) + second) % second;
  const seconds = new Date(Number((nanoseconds - fraction) / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${String(fraction).padStart(9, '0')}`;
}

function hexText(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
