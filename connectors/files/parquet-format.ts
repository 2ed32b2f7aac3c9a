/** Parquet (parquet-wasm): row group by row group, each column as Arrow has it; nothing is converted by us. */
import type { RecordBatch } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm';
import { type ReadAt, readAtOf, readBatch, readStreamIndex } from '../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { columnsOf } from './arrow-format.ts';
import type { FileFormat, Piece } from './format.ts';
import type { OpenFile, PinnedFile } from './location.ts';
import { readColumns } from './read-arrow.ts';

export const parquet: FileFormat = {
  describe: (file, pinned) =>
    withParquet(file, pinned, async (opened) => {
      const { schema } = await indexOfStream(opened.schema().intoIPCStream());
      return { columns: columnsOf(schema, pinned.path), rows: opened.metadata().fileMetadata().numRows() };
    }),
  divide: (file, pinned, _options, wanted) =>
    withParquet(file, pinned, async (opened) => {
      const groups = opened.metadata().numRowGroups();
      const count = Math.max(1, Math.min(wanted, groups));
      const bound = (i: number) => Math.floor((groups * i) / count);
      return Array.from(
        { length: count },
        (_, i): Piece => ({ file: pinned, groups: { start: bound(i), end: bound(i + 1) } }),
      );
    }),
  read: (job) =>
    readColumns(job, (file, { file: pinned, groups }) => batchesOf(file, pinned, groups, job.request.batchRowsMax)),
};

async function* batchesOf(
  file: OpenFile,
  pinned: PinnedFile,
  groups: Piece['groups'],
  batchSize: number,
): AsyncGenerator<RecordBatch> {
  const opened = await invalidUnlessRead(pinned.path, () =>
    ParquetFile.fromFile(new PinnedBlob(file.readAt, pinned.sizeBytes)),
  );
  try {
    const metadata = opened.metadata();
    const { start, end } = groups ?? { start: 0, end: metadata.numRowGroups() };
    for (let group = start; group < end; group++) {
      assertGroupSize(metadata.rowGroup(group).totalByteSize(), pinned);
      const table = await invalidUnlessRead(pinned.path, () => opened.read({ rowGroups: [group], batchSize }));
      const bytes = table.intoIPCStream();
      const readAt = readAtOf(bytes);
      const index = await readStreamIndex(readAt, bytes.byteLength);
      for (const batch of index.batches) yield await readBatch(readAt, index, batch);
    }
  } finally {
    opened.free();
  }
}

/** A row group is in memory at once, twice. */
function assertGroupSize(bytes: number, { path, sizeBytes }: PinnedFile): void {
  if (bytes <= limits.arrowBatchBytesMax && bytes <= Math.max(1, sizeBytes) * limits.decompressedRatioMax) return;
  throw new HuitongError('DECOMPRESSION_LIMIT', `a row group takes ${bytes} bytes`, {
    at: path,
    hint: `Write the file with row groups of at most ${limits.arrowBatchBytesMax} bytes.`,
  });
}

async function withParquet<T>(
  file: OpenFile,
  pinned: PinnedFile,
  body: (opened: ParquetFile) => Promise<T>,
): Promise<T> {
  return invalidUnlessRead(pinned.path, async () => {
    const opened = await ParquetFile.fromFile(new PinnedBlob(file.readAt, pinned.sizeBytes));
    try {
      return await body(opened);
    } finally {
      opened.free();
    }
  });
}

/** What the library throws has no class of its own. */
async function invalidUnlessRead<T>(at: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause: unknown) {
    if (isHuitongError(cause)) throw cause;
    throw new HuitongError('FILE_INVALID', 'the file cannot be read as Parquet', { at, cause });
  }
}

async function indexOfStream(bytes: Uint8Array) {
  return readStreamIndex(readAtOf(bytes), bytes.byteLength);
}

/** The library reads ranges of a Blob; ours are ranges of the pinned file. */
class PinnedBlob extends Blob {
  private readonly readAt: ReadAt;
  private readonly from: number;
  private readonly length: number;

  constructor(readAt: ReadAt, length: number, from = 0) {
    super([]);
    this.readAt = readAt;
    this.length = length;
    this.from = from;
    Object.defineProperty(this, 'size', { value: length });
  }

  override slice(start = 0, end = this.length): Blob {
    return new PinnedBlob(this.readAt, end - start, this.from + start);
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.readAt(this.from, this.length);
    return new Uint8Array(bytes).buffer;
  }
}
