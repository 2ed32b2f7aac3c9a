import type { Vector } from 'apache-arrow';
import sql from 'mssql';
import { renderCell } from '../../../connectors/conformance/render.ts';
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

/** Every row as texts, in the conformance kit's form; cells that Arrow cannot hold are null. */
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
      for (let row = 0; row < batch.numRows; row++) rows.push(vectors.map((vector) => renderCell(vector, row)));
    },
    cut,
  );
  return { names, rows, unrepresentable };
}

/** npm's `mssql` over the same server, for what it does otherwise. */
export async function withPlain<T>(config: MssqlConfig, body: (pool: sql.ConnectionPool) => Promise<T>): Promise<T> {
  const pool = new sql.ConnectionPool({
    server: '127.0.0.1',
    port: config.port ?? 0,
    database: 'health',
    user: 'reader',
    password: CANARY,
    options: { encrypt: false, useUTC: true },
  });
  pool.on('error', () => {});
  await pool.connect();
  try {
    return await body(pool);
  } finally {
    await pool.close();
  }
}
