/** Writes Parquet (parquet-wasm), row group by row group. It knows no catalog, so that it can be done in a thread. */
import { Table as ArrowTable, type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow';
import { Compression, Table, transformParquetStream, WriterPropertiesBuilder } from 'parquet-wasm';
import { BatchMemory } from '../../../columnar/read.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import { projectedBatches, projectedSchema } from './batches.ts';
import type { RenditionSource } from './rendition.ts';

/** Rows that are in memory at once, uncompressed; what readers skip or take together. */
const ROW_GROUP_ROWS = 131_072;

/** Throws TYPE_UNMAPPED, OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID, and what `put` throws. */
export async function makeParquet(source: RenditionSource & { store: PartStore }): Promise<ManifestPart> {
  const counted = { rows: 0 };
  const object = await source.store.put(parquetBytes(projectedSchema(source), countedBatches(source, counted)));
  return { ...object, rows: counted.rows };
}

/** Each is copied into the writer's memory before the next is asked for. */
async function* countedBatches(source: RenditionSource, counted: { rows: number }): AsyncGenerator<RecordBatch> {
  for await (const batch of projectedBatches(source, new BatchMemory())) {
    counted.rows += batch.numRows;
    yield batch;
  }
}

/** Throws what the batches throw, at the end at the latest: the writer would tell it as an error of its own, if at all. */
async function* parquetBytes(schema: Schema, batches: AsyncGenerator<RecordBatch>): AsyncGenerator<Uint8Array> {
  const moved = wasmBatches(schema, batches);
  const failures: unknown[] = [];
  const input = new ReadableStream({
    async pull(controller) {
      try {
        const next = await moved.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      } catch (e: unknown) {
        failures.push(e);
        controller.error(e);
      }
    },
    async cancel() {
      await moved.return(undefined);
    },
  });
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy('huitong')
    .build();
  try {
    yield* await transformParquetStream(input, properties);
  } catch (e: unknown) {
    throw failures.length > 0 ? failures[0] : e;
  }
  if (failures.length > 0) throw failures[0];
}

/** Into WebAssembly's memory, one at a time; the writer frees what it has taken. */
async function* wasmBatches(schema: Schema, batches: AsyncIterable<RecordBatch>) {
  let some = false;
  for await (const batch of batches) {
    if (batch.numRows === 0) continue;
    some = true;
    yield* moved(new ArrowTable([batch]));
  }
  // The writer takes its schema from the first batch: a file without rows needs one without rows.
  if (!some) yield* moved(new ArrowTable(schema));
}

function* moved(table: ArrowTable) {
  const copy = Table.fromIPCStream(RecordBatchStreamWriter.writeAll(table).toUint8Array(true));
  try {
    yield* copy.recordBatches();
  } finally {
    copy.free();
  }
}
