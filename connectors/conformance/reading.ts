/** How the checks read, and the error that must come. */
import { createHash } from 'node:crypto';
import type { Vector } from 'apache-arrow';
import { expect } from 'vitest';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Connector, ReadPlan, Snapshot, SourceBatch, TableRequest } from '../connector.ts';
import { renderCell } from './render.ts';

export const one = { partitions: 1 };

/** For the slowest machine; a fast one does not wait. */
const EVENTUALLY_MS_MAX = 30_000;

export function quiet(signal = new AbortController().signal) {
  return { signal, label: 'huitong/conformance', loopbackAllowed: true };
}

export async function withSnapshot<C, S extends Snapshot, P, T>(
  connector: Connector<C, S, P>,
  config: C,
  body: (snapshot: S) => Promise<T>,
): Promise<T> {
  const snapshot = await connector.openSnapshot(config, quiet());
  try {
    return await body(snapshot);
  } finally {
    await snapshot.close();
  }
}

export interface Cut {
  batchRowsMax?: number;
  batchBytesMax?: number;
}

/** Reads every partition, one after another; `take` sees each batch before its memory is used again. */
export async function readPlan<C, S extends Snapshot, P>(
  connector: Connector<C, S, P>,
  config: C,
  plan: ReadPlan<P>,
  take: (batch: SourceBatch) => void,
  cut: Cut = {},
  signal = quiet().signal,
): Promise<void> {
  for (const partition of plan.partitions) {
    const batches = connector.read(config, { plan, partition, ...limitsOf(cut) }, quiet(signal));
    for await (const batch of batches) take(batch);
  }
}

export function limitsOf({ batchRowsMax = limits.batchRowsMax, batchBytesMax = limits.batchBytesMax }: Cut = {}) {
  return { batchRowsMax, batchBytesMax };
}

/** Plans and reads a table in a snapshot of its own. */
export function readTable<C, S extends Snapshot, P>(
  connector: Connector<C, S, P>,
  config: C,
  request: TableRequest,
  take: (batch: SourceBatch) => void,
): Promise<ReadPlan<P>> {
  return withSnapshot(connector, config, async (snapshot) => {
    const plan = await connector.plan(snapshot, request, one);
    await readPlan(connector, config, plan, take);
    return plan;
  });
}

/** The texts of a column's cells. */
export function cellTexts(vector: Vector | null): (string | null)[] {
  return vector === null ? [] : Array.from({ length: vector.length }, (_, row) => renderCell(vector, row));
}

/** All cells of a plan, row by row in its order, as one digest, with the number of rows. */
export async function contentOf<C, S extends Snapshot, P>(
  connector: Connector<C, S, P>,
  config: C,
  plan: ReadPlan<P>,
): Promise<{ rows: number; digest: string }> {
  const hash = createHash('sha256');
  let rows = 0;
  await readPlan(connector, config, plan, ({ batch }) => {
    const columns = batch.schema.fields.map((_, i) => cellTexts(batch.getChildAt(i)));
    for (let row = 0; row < batch.numRows; row++) hash.update(JSON.stringify(columns.map((cells) => cells[row])));
    rows += batch.numRows;
  });
  return { rows, digest: hash.digest('hex') };
}

/** The error that must come. */
export async function failureOf(work: Promise<unknown>): Promise<HuitongError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HuitongError);
  return outcome as HuitongError;
}

export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + EVENTUALLY_MS_MAX;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in 30 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
