/** Reads a dataset's table with the real connector and lets the real contract judge each row. */
import { postgres } from '../../connectors/postgres/index.ts';
import { compileContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { rowImager } from '../../contracts/image.ts';
import { limits } from '../../lib/limits.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';

export interface Judgement {
  rows: number;
  /** One entry an error, with the row's key as planted.rows writes it. */
  errors: { key: string | null; code: string }[];
  /** How many rows beyond the first there are of each key that stands more than once. */
  repeated: Map<string, number>;
}

export async function judge(url: string, dataset: DatasetDefinition, contract: ContractDocument): Promise<Judgement> {
  const context = { signal: new AbortController().signal, label: 'huitong/test' };
  const snapshot = await postgres.openSnapshot({ url }, context);
  try {
    const plan = await postgres.plan(snapshot, { table: dataset.table }, { partitions: 2 });
    const schema = postgres.arrowSchema(plan);
    const compiled = compileContract(contract, schema);
    const imageOf = rowImager(schema);
    const judgement: Judgement = { rows: 0, errors: [], repeated: new Map() };
    const seen = new Set<string>();
    for (const partition of plan.partitions) {
      const request = { plan, partition, batchRowsMax: limits.batchRowsMax, batchBytesMax: limits.batchBytesMax };
      for await (const { batch, unrepresentable } of postgres.read({ url }, request, context)) {
        const keyOf = (row: number) => {
          const image = imageOf(batch.data.children, row);
          const cells = contract.key.map((column) => image[column]);
          return cells.includes(null) ? null : cells.join('/');
        };
        judgement.rows += batch.numRows;
        for (const { row, code } of compiled.check(batch, unrepresentable).errors()) {
          judgement.errors.push({ key: keyOf(row), code });
        }
        for (let row = 0; row < batch.numRows; row++) {
          const key = keyOf(row);
          if (key === null) continue;
          if (seen.has(key)) judgement.repeated.set(key, (judgement.repeated.get(key) ?? 0) + 1);
          seen.add(key);
        }
      }
    }
    return judgement;
  } finally {
    await snapshot.close();
  }
}
