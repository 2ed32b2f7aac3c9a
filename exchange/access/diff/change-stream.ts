/** A difference as rows: the columns of both versions behind `_change`, which says what became of a row. */
import { Data, Field, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { gatherRows } from '../../../columnar/gather.ts';
import { END_OF_STREAM, schemaMessage } from '../../../columnar/message.ts';
import { PartWriter } from '../../../columnar/write.ts';
import { limits } from '../../../lib/limits.ts';
import type { Sent } from '../renditions/rendition.ts';
import { type ComparedBucket, type Comparison, comparedBuckets } from './comparison.ts';

const CHANGE = new Field('_change', new Utf8(), false);

/** What `_change` says. */
export interface ChangeWords {
  /** Only in the later version. */
  added: string;
  /** Only in the earlier one. */
  removed: string;
  /** A row as it was; the next one, `changedTo`, is what it became. */
  changedFrom: string;
  changedTo: string;
}

/** Of the batches that `changeBatches` gives. */
export function changeSchema({ columns }: Comparison): Schema {
  return new Schema([CHANGE, ...columns.schema.fields]);
}

/** Each key once, or twice in a row where its row changed. */
export async function* changeBatches(comparison: Comparison, words: ChangeWords): AsyncGenerator<RecordBatch> {
  const shown = changeSchema(comparison);
  const { schema, compared } = comparison.columns;
  for await (const bucket of comparedBuckets(comparison, new Float64Array(compared.length))) {
    const rows = [...rowsOf(bucket, words)];
    for (let start = 0; start < rows.length; start += limits.batchRowsMax) {
      yield changeBatch(shown, bucket, schema, rows.slice(start, start + limits.batchRowsMax));
    }
  }
}

/** As an Arrow IPC stream. */
export async function* changeStream(
  comparison: Comparison,
  words: ChangeWords,
  sent: Sent,
): AsyncGenerator<Uint8Array> {
  const shown = changeSchema(comparison);
  const writer = new PartWriter(shown);
  sent.rows = 0;
  yield schemaMessage(shown);
  for await (const batch of changeBatches(comparison, words)) {
    // A writer's chunks are used again by its next batch.
    for (const chunk of writer.batch(batch)) yield Buffer.from(chunk);
    sent.rows += batch.numRows;
  }
  yield END_OF_STREAM;
}

/** Which batch (0 the earlier, 1 the later), which of its rows, and what became of it. */
type ChangedRow = [batch: 0 | 1, row: number, change: string];

function* rowsOf({ added, removed, changed }: ComparedBucket, words: ChangeWords): Generator<ChangedRow> {
  for (const row of removed) yield [0, row, words.removed];
  for (const row of added) yield [1, row, words.added];
  for (let i = 0; i < changed.length; i += 2) {
    yield [0, changed[i]!, words.changedFrom];
    yield [1, changed[i + 1]!, words.changedTo];
  }
}

function changeBatch(shown: Schema, bucket: ComparedBucket, schema: Schema, rows: ChangedRow[]): RecordBatch {
  const gathered = gatherRows(schema, [bucket.before, bucket.after], {
    length: rows.length,
    batch: Uint32Array.from(rows, ([batch]) => batch),
    row: Uint32Array.from(rows, ([, row]) => row),
  });
  const changes = vectorFromArray(
    rows.map(([, , change]) => change),
    CHANGE.type,
  );
  const children = [changes.data[0]!, ...gathered.data.children];
  return new RecordBatch(shown, new Data(new Struct(shown.fields), 0, rows.length, 0, undefined, children));
}
