/** What Arrow and Parquet share: batches that are columns already, cut to the size that a reader asked for. */
import type { RecordBatch } from 'apache-arrow';
import { HuitongError } from '../../lib/errors.ts';
import { columnsOfBatch, cutBatch } from '../column-batches.ts';
import type { SourceBatch } from '../connector.ts';
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
        assertSameColumns(
          batch.schema.fields.map(({ name }) => name),
          job.request.plan,
          path,
        );
        for (const cut of cutBatch(columnsOfBatch(batch, job.schema, path), job.request)) {
          yield { batch: cut, unrepresentable: [] };
          stopIfCancelled(job.signal);
        }
      }
      await file.assertUnchanged();
    } finally {
      await file.close();
    }
  }
}

/** Throws FILE_INVALID for columns without a name of their own. */
export function assertFieldNames(names: string[], at: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined || names.length === 0) {
    const what = twice === undefined ? 'the file has no columns' : `the column ${JSON.stringify(twice)} stands twice`;
    throw new HuitongError('FILE_INVALID', what, { at });
  }
}
