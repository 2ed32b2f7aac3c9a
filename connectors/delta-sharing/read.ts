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
  const files = new VersionFiles(server, partition);
  try {
    for (const id of partition.files) {
      const { file, bytes } = await files.fetch(id);
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

/** The files of one version. Their URLs end within the hour: where one has, the list is asked for again, once. */
class VersionFiles {
  private readonly server: SharingServer;
  private readonly partition: DeltaSharingPartition;
  private listed: SharedFile[] | undefined;

  constructor(server: SharingServer, partition: DeltaSharingPartition) {
    this.server = server;
    this.partition = partition;
  }

  async fetch(id: string): Promise<{ file: SharedFile; bytes: Buffer }> {
    const isFresh = this.listed === undefined;
    const file = await this.find(id);
    try {
      return { file, bytes: await this.server.file(file) };
    } catch (cause) {
      if (isHuitongError(cause, 'TABLE_NOT_FOUND')) throw this.lost(cause);
      const hasEnded = isHuitongError(cause, 'SOURCE_FORBIDDEN') || isHuitongError(cause, 'SOURCE_AUTH');
      if (isFresh || !hasEnded) throw cause;
      this.listed = undefined;
      return this.fetch(id);
    }
  }

  private async find(id: string): Promise<SharedFile> {
    this.listed ??= await this.server.query(this.partition.table, this.partition.version);
    const file = this.listed.find((one) => one.id === id);
    if (file === undefined) throw this.lost();
    return file;
  }

  private lost(cause?: unknown): HuitongError {
    return new HuitongError('SNAPSHOT_LOST', 'a file of the version is gone', {
      at: nameOf(this.partition.table),
      cause,
    });
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
