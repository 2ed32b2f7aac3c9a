/** What a policy makes of stored parts. */
import type { RecordBatch } from 'apache-arrow';
import { BatchMemory } from '../../../columnar/read.ts';
import { BodyBuffers, PartWriter } from '../../../columnar/write.ts';
import { limits } from '../../../lib/limits.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/policy.ts';
import type { Shown } from '../projections.ts';
import { projectedBatches } from '../renditions/batches.ts';

export interface Making {
  policy: Policy;
  maskKey: Uint8Array | null;
}

/**
 * Batch by batch, in the memory of one: decode what is needed, filter, mask, compress, store.
 * @throws POLICY_INVALID, OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID, and what `put` throws
 */
export async function makeProjection(
  store: PartStore,
  stored: Shown,
  { policy, maskKey }: Making,
): Promise<ManifestPart[]> {
  const compiled = compilePolicy(policy, stored.schema, maskKey);
  // A batch has been compressed before the next is asked for.
  const read = projectedBatches({ store, ...stored, projection: { columns: compiled.reads } }, new BatchMemory());
  const batches = shownBatches(read, compiled.apply);
  const parts: ManifestPart[] = [];
  const buffers = new BodyBuffers();
  try {
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
      const writer = new PartWriter(compiled.schema, buffers);
      const object = await store.put(partOf(writer, next.value, batches));
      parts.push({ digest: object.digest, sizeBytes: object.sizeBytes, rows: writer.rows });
    }
  } finally {
    await batches.return(undefined);
  }
  return parts;
}

/** Those that have rows left. */
export async function* shownBatches(
  batches: AsyncIterable<RecordBatch>,
  apply: (batch: RecordBatch) => RecordBatch,
): AsyncGenerator<RecordBatch, undefined> {
  for await (const batch of batches) {
    const shown = apply(batch);
    if (shown.numRows > 0) yield shown;
  }
}

/** One part: the batch that is there already, and more of them until it is large enough. */
async function* partOf(
  writer: PartWriter,
  first: RecordBatch,
  more: AsyncGenerator<RecordBatch, undefined>,
): AsyncGenerator<Uint8Array> {
  yield* writer.start();
  yield* writer.batch(first);
  while (writer.rows < limits.partRowsMax && writer.sizeBytes < PART_STORED_BYTES) {
    const next = await more.next();
    if (next.done === true) break;
    yield* writer.batch(next.value);
  }
  yield* writer.end();
}

/** Large enough that a part's own overhead is nothing, small enough that a damaged one costs little to make again. */
const PART_STORED_BYTES = 64 * 1024 * 1024;
