import type { Vector } from 'apache-arrow';
import { renderCell } from '../../../connectors/conformance/kit.ts';
import type { ReadPlan, SourceBatch, TableRequest } from '../../../connectors/connector.ts';
import type { MysqlConfig } from '../../../connectors/mysql/config.ts';
import { mysql } from '../../../connectors/mysql/index.ts';
import type { MysqlPartition } from '../../../connectors/mysql/plan.ts';
import { limits } from '../../../lib/limits.ts';

export function quiet(signal = new AbortController().signal) {
  return { signal, label: 'huitong/test' };
}

export interface Read {
  plan: ReadPlan<MysqlPartition>;
  /** By column. */
  texts: Record<string, (string | null)[]>;
  rows: number;
  unrepresentable: SourceBatch['unrepresentable'];
}

/** Plans and reads a table, its cells as text. */
export async function readTexts(config: MysqlConfig, request: TableRequest): Promise<Read> {
  const snapshot = await mysql.openSnapshot(config, quiet());
  try {
    const plan = structuredClone(await mysql.plan(snapshot, request, { partitions: 2 }));
    return await readPlan(config, plan);
  } finally {
    await snapshot.close();
  }
}

export async function readPlan(
  config: MysqlConfig,
  plan: ReadPlan<MysqlPartition>,
  signal?: AbortSignal,
): Promise<Read> {
  const read: Read = { plan, texts: {}, rows: 0, unrepresentable: [] };
  const { batchRowsMax, batchBytesMax } = limits;
  for (const partition of plan.partitions) {
    const batches = mysql.read(config, { plan, partition, batchRowsMax, batchBytesMax }, quiet(signal));
    for await (const { batch, unrepresentable } of batches) {
      read.unrepresentable.push(...unrepresentable.map((cell) => ({ ...cell, row: cell.row + read.rows })));
      read.rows += batch.numRows;
      for (const { name } of batch.schema.fields) {
        const vector = batch.getChild(name) as Vector;
        read.texts[name] ??= [];
        for (let row = 0; row < vector.length; row++) read.texts[name].push(renderCell(vector, row));
      }
    }
  }
  return read;
}
