import type { RecordBatch } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm';
import { readAtOf, readBatch, readStreamIndex } from '../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { cutBatch } from '../column-batches.ts';
import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadRequest, SourceBatch } from '../connector.ts';
import type { DeltaSharingConfig } from './config.ts';
import { convertBatch } from './convert.ts';
import type { DeltaColumn, DeltaSharingPartition } from './plan.ts';
import { nameOf, type SharedFile, SharingServer } from './sharing.ts';
import { types } from './types.ts';

/** Throws SNAPSHOT_LOST where the version or a file of it is gone, FILE_INVALID, SCHEMA_DRIFT, CELL_TOO_LARGE, CANCELLED. */
export async function* read(
  config: DeltaSharingConfig,
  request: ReadRequest<DeltaSharingPartition>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const at = nameOf(partition.table);
  const schema = arrowSchemaOf(types, plan);
  const columns = plan.columns.map((column) => column.mapping as DeltaColumn);
  const server = new SharingServer(config, context);
  try {
    for (const id of partition.files) {
      const { file, bytes } = await fetchFile(server, partition, id);
      for await (const group of rowGroups(bytes, at)) {
        // Cut before converting, so that unrepresentable cells keep their places.
        for (const piece of cutBatch(group, request)) {
          if (context.signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at });
          yield convertBatch(piece, schema, columns, file, at);
        }
      }
    }
    if (context.signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at });
  } finally {
    server.close();
  }
}

/** The file's URL is asked for when it is needed: a URL that was given with the plan may have ended by then. */
async function fetchFile(
  server: SharingServer,
  { table, version }: DeltaSharingPartition,
  id: string,
): Promise<{ file: SharedFile; bytes: Buffer }> {
  const lost = (cause?: unknown) =>
    new HuitongError('SNAPSHOT_LOST', 'a file of the version is gone', { at: nameOf(table), cause });
  const file = (await server.query(table, version)).find((one) => one.id === id);
  if (file === undefined) throw lost();
  try {
    return { file, bytes: await server.file(file) };
  } catch (cause) {
    throw isHuitongError(cause, 'TABLE_NOT_FOUND') ? lost(cause) : cause;
  }
}

/** Row group by row group, all columns: of a chosen few, parquet-wasm 0.7 writes batches that contradict their schema. */
async function* rowGroups(bytes: Buffer, at: string): AsyncGenerator<RecordBatch> {
  const invalid = (cause: unknown) =>
    isHuitongError(cause) ? cause : new HuitongError('FILE_INVALID', 'a file cannot be read as Parquet', { at, cause });
  let opened: ParquetFile | undefined;
  try {
    opened = await ParquetFile.fromFile(new Blob([new Uint8Array(bytes)]));
    const metadata = opened.metadata();
    for (let group = 0; group < metadata.numRowGroups(); group++) {
      const size = metadata.rowGroup(group).totalByteSize();
      if (size > limits.arrowBatchBytesMax || size > bytes.byteLength * limits.decompressedRatioMax) {
        throw new HuitongError('DECOMPRESSION_LIMIT', `a row group takes ${size} bytes`, { at });
      }
      const table = await opened.read({ rowGroups: [group], batchSize: limits.batchRowsMax });
      const stream = table.intoIPCStream();
      const readAt = readAtOf(stream);
      const index = await readStreamIndex(readAt, stream.byteLength);
      for (const batch of index.batches) yield await readBatch(readAt, index, batch);
    }
  } catch (cause) {
    throw invalid(cause);
  } finally {
    opened?.free();
  }
}
