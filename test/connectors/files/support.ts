/** A folder of files, and what the connector reads of one. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderCell } from '../../../connectors/conformance/kit.ts';
import type { ReadPlan } from '../../../connectors/connector.ts';
import type { FilesConfig, TableOptions } from '../../../connectors/files/config.ts';
import { files } from '../../../connectors/files/index.ts';
import type { FilesPartition } from '../../../connectors/files/plan.ts';
import { limits } from '../../../lib/limits.ts';

export const context = { signal: new AbortController().signal, label: 'huitong/test' };

export async function withFolder<T>(
  contents: Record<string, string | Uint8Array>,
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-files-test-')));
  try {
    for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Seen {
  columns: string[];
  rows: (string | null)[][];
  /** `row column code` */
  problems: string[];
  partitions: number;
  /** The rows that the source counts itself. */
  counted: number | undefined;
}

/** Everything of one table. */
export async function readTable(config: FilesConfig, name: string, partitions = 1): Promise<Seen> {
  const snapshot = await files.openSnapshot(config, context);
  try {
    const plan = await files.plan(snapshot, { table: { name } }, { partitions });
    const totals = await snapshot.controlTotals({ table: { name } });
    const seen = await readPlan(config, plan);
    await snapshot.assertAlive();
    return { ...seen, partitions: plan.partitions.length, counted: totals?.rows };
  } finally {
    await snapshot.close();
  }
}

export async function readPlan(
  config: FilesConfig,
  plan: ReadPlan<FilesPartition>,
): Promise<Pick<Seen, 'columns' | 'rows' | 'problems'>> {
  const seen = { columns: plan.columns.map(({ name }) => name), rows: [] as Seen['rows'], problems: [] as string[] };
  const { batchRowsMax, batchBytesMax } = limits;
  for (const partition of plan.partitions) {
    for await (const { batch, unrepresentable } of files.read(
      config,
      { plan, partition, batchRowsMax, batchBytesMax },
      context,
    )) {
      for (const { row, column, code } of unrepresentable) {
        seen.problems.push(`${seen.rows.length + row} ${seen.columns[column]} ${code}`);
      }
      const vectors = batch.schema.fields.map((_, i) => batch.getChildAt(i)!);
      for (let row = 0; row < batch.numRows; row++) seen.rows.push(vectors.map((vector) => renderCell(vector, row)));
    }
  }
  return seen;
}

/** One file of its own folder, read whole. */
export function readContent(name: string, content: string | Uint8Array, options: TableOptions = {}): Promise<Seen> {
  return withFolder({ [name]: content }, (folder) => readTable({ folder, tables: { [name]: options } }, name));
}
