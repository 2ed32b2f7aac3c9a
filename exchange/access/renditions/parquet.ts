/**
 * Parquet (parquet-wasm): made once a projection, row group by row group, kept in the store beside the parts, and read
 * in ranges, as DuckDB and pyarrow read it. Column choice is made before: a Parquet of some columns is an object of its
 * own.
 */
import { hash } from 'node:crypto';
import { Table as ArrowTable, type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow';
import { Compression, Table, transformParquetStream, WriterPropertiesBuilder } from 'parquet-wasm';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import type { Publication } from '../../publication/publication.ts';
import { projectionOf } from '../projections.ts';
import { projectedBatches, projectedSchema } from './batches.ts';
import type { Rendition, RenditionSource } from './rendition.ts';
import { storedRange } from './stored-part.ts';

/** Rows that are in memory at once, uncompressed; what readers skip or take together. */
const ROW_GROUP_ROWS = 131_072;

export interface ParquetSource extends RenditionSource {
  /** Names what `parts` hold (`NamedShown`). */
  digest: string;
  manifestDigest: string;
  policyDigest: string | null;
}

/** Made first where it is not there yet. Throws TYPE_UNMAPPED, OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID. */
export async function parquetRendition(publication: Publication, source: ParquetSource): Promise<StoredRendition> {
  const { digest: of, manifestDigest, policyDigest, projection } = source;
  const store = partsOfStore(publication);
  const made = await projectionOf(publication, {
    key: hash('sha256', canonicalJson({ of, columns: projection.columns, format: 'parquet' }), 'hex'),
    manifestDigest,
    policyDigest,
    format: 'parquet',
    async make(alive) {
      const schema = projectedSchema(source);
      const counted = { rows: 0 };
      const object = await store.put(parquetBytes(schema, countedBatches(source, counted, alive)));
      return { schema, parts: [{ ...object, rows: counted.rows }] };
    },
  });
  const [file] = made.parts as [(typeof made.parts)[number]];
  return {
    contentType: 'application/vnd.apache.parquet',
    totalBytes: file.sizeBytes,
    digests: [file.digest],
    async *bytes(sent, range) {
      yield* storedRange(store, file.digest, range ?? { offset: 0, length: file.sizeBytes });
      if (range === undefined) sent.rows = file.rows;
    },
  };
}

/** A rendition that is an object of its own. */
export interface StoredRendition extends Rendition {
  digests: string[];
}

async function* countedBatches(
  source: RenditionSource,
  counted: { rows: number },
  alive: () => Promise<void>,
): AsyncGenerator<RecordBatch> {
  for await (const batch of projectedBatches(source)) {
    await alive();
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
