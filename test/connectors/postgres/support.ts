import pg from 'pg';
import type { ReadPlan, SourceBatch, TableRequest } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';

export function contextOf(signal: AbortSignal = new AbortController().signal) {
  return { signal, label: 'huitong/test' };
}

export async function execute(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

export interface ReadOptions {
  partitions?: number;
  batchRowsMax?: number;
  batchBytesMax?: number;
}

/** Reads a table in one snapshot; `take` sees each batch before its memory is used again. */
export async function readTable(
  url: string,
  request: TableRequest,
  take: (batch: SourceBatch, plan: ReadPlan) => void,
  options: ReadOptions = {},
): Promise<ReadPlan> {
  const snapshot = await postgres.openSnapshot({ url }, contextOf());
  try {
    const plan = await postgres.plan(snapshot, request, { partitions: options.partitions ?? 1 });
    const { batchRowsMax = 65_536, batchBytesMax = 16 * 1024 * 1024 } = options;
    for (const partition of plan.partitions) {
      const batches = postgres.read({ url }, { plan, partition, batchRowsMax, batchBytesMax }, contextOf());
      for await (const batch of batches) take(batch, plan);
    }
    return plan;
  } finally {
    await snapshot.close();
  }
}
