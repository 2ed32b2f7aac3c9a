/** Arrow's IPC formats: the file, and the stream. Buffers may be compressed by zstd. */
import type { Schema } from 'apache-arrow';
import { MAGIC } from '../../columnar/message.ts';
import { type PartIndex, readBatch, readPartIndex, readStreamIndex } from '../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { FileColumn, FileFormat, Piece } from './format.ts';
import type { OpenFile, PinnedFile } from './location.ts';
import { assertFieldNames, readColumns } from './read-arrow.ts';
import { spellingOfField } from './types.ts';

export const arrow: FileFormat = {
  async describe(file, pinned) {
    const index = await indexOf(file, pinned);
    return { columns: columnsOf(index.schema, pinned.path), rows: index.rows };
  },
  async divide(file, pinned, _options, wanted) {
    const { batches } = await indexOf(file, pinned);
    const count = Math.max(1, Math.min(wanted, batches.length));
    const bound = (i: number) => Math.floor((batches.length * i) / count);
    return Array.from(
      { length: count },
      (_, i): Piece => ({ file: pinned, groups: { start: bound(i), end: bound(i + 1) } }),
    );
  },
  read: (job) =>
    readColumns(job, async function* (file, { file: pinned, groups }) {
      const index = await indexOf(file, pinned);
      for (const batch of index.batches.slice(groups?.start, groups?.end))
        yield await readBatch(file.readAt, index, batch);
    }),
};

async function indexOf(file: OpenFile, { path, sizeBytes }: PinnedFile): Promise<PartIndex> {
  const first = await file.readAt(0, Math.min(MAGIC.length, sizeBytes));
  const isFile = first.length === MAGIC.length && MAGIC.every((byte, i) => first[i] === byte);
  try {
    return isFile ? await readPartIndex(file.readAt, sizeBytes) : await readStreamIndex(file.readAt, sizeBytes);
  } catch (cause: unknown) {
    if (!isHuitongError(cause) || cause.at !== undefined) throw cause;
    throw new HuitongError(cause.code, cause.message, { at: path, hint: cause.hint, cause });
  }
}

/** Throws FILE_INVALID. */
export function columnsOf(schema: Schema, at: string): FileColumn[] {
  assertFieldNames(
    schema.fields.map(({ name }) => name),
    at,
  );
  return schema.fields.map((field) => ({
    name: field.name,
    spelling: spellingOfField(field),
    nullable: field.nullable,
  }));
}
