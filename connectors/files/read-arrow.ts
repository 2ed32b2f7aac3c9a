/** What Arrow and Parquet share: batches that are columns already, cut to the size that a reader asked for. */
import { Data, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { copyRows } from '../../columnar/filter.ts';
import { batchBytes } from '../../columnar/size.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { ReadRequest, SourceBatch } from '../connector.ts';
import { assertSameColumns, type Piece, type ReadJob } from './format.ts';
import { type OpenFile, stopIfCancelled } from './location.ts';

export type BatchesOf = (file: OpenFile, piece: Piece) => AsyncIterable<RecordBatch>;

/** Pieces one behind the other; each file is proved unchanged behind its last batch. */
export async function* readColumns(job: ReadJob, batchesOf: BatchesOf): AsyncGenerator<SourceBatch> {
  for (const piece of job.pieces) {
    const { path } = piece.file;
    const file = await job.location.open(piece.file);
    try {
      for await (const batch of batchesOf(file, piece)) {
        stopIfCancelled(job.signal);
        assertSameColumns(
          batch.schema.fields.map(({ name }) => name),
          job.request.plan,
          path,
        );
        const chosen = choose(batch, job.schema, path);
        for (const cut of cuts(chosen, job.request)) yield { batch: cut, unrepresentable: [] };
      }
      await file.assertUnchanged();
    } finally {
      await file.close();
    }
  }
}

/** The plan's columns, in its order. */
function choose(batch: RecordBatch, schema: Schema, at: string): RecordBatch {
  const places = schema.fields.map(({ name }) => batch.schema.fields.findIndex((field) => field.name === name));
  const children = places.map((place) => batch.data.children[place] as Data);
  const found = places.map((place) => batch.schema.fields[place]!);
  const differs = schema.fields.find((field, i) => String(field.type) !== String(found[i]!.type));
  if (differs !== undefined) {
    const type = batch.schema.fields.find(({ name }) => name === differs.name)?.type;
    throw new HuitongError('SCHEMA_DRIFT', `the column ${differs.name} is ${type}, and not ${differs.type}`, { at });
  }
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children));
}

/** By rows, and by bytes as if every row took as many. */
function* cuts(batch: RecordBatch, { batchRowsMax, batchBytesMax }: ReadRequest): Generator<RecordBatch> {
  const rows = batch.numRows;
  if (rows === 0) return;
  const bytesEach = batchBytes(batch) / rows;
  const step = Math.max(1, Math.min(batchRowsMax, Math.floor(batchBytesMax / Math.max(1, bytesEach))));
  if (step >= rows) return yield batch;
  for (let start = 0; start < rows; start += step) yield copyRows(batch, start, Math.min(rows, start + step));
}

/** Throws FILE_INVALID for columns without a name of their own. */
export function assertFieldNames(names: string[], at: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined || names.length === 0) {
    const what = twice === undefined ? 'the file has no columns' : `the column ${JSON.stringify(twice)} stands twice`;
    throw new HuitongError('FILE_INVALID', what, { at });
  }
}
