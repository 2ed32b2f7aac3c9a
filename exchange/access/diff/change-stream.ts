/**
 * A difference as an Arrow IPC stream: the columns of both versions behind `_change`, which says what became of a row.
 *
 *   added         only in the later version
 *   removed       only in the earlier one
 *   changed-from  a row as it was; the next one, `changed-to`, is what it became
 */
import { Data, Field, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { gatherRows } from '../../../columnar/gather.ts';
import { END_OF_STREAM, schemaMessage } from '../../../columnar/message.ts';
import { PartWriter } from '../../../columnar/write.ts';
import { limits } from '../../../lib/limits.ts';
import { type ComparedBucket, type Comparison, comparedBuckets } from './comparison.ts';

const CHANGE = new Field('_change', new Utf8(), false);

export async function* changeStream(
  comparison: Comparison,
  sent: { rows: number | undefined },
): AsyncGenerator<Uint8Array> {
  const { schema, compared } = comparison.columns;
  const shown = new Schema([CHANGE, ...schema.fields]);
  const writer = new PartWriter(shown);
  sent.rows = 0;
  yield schemaMessage(shown);
  for await (const bucket of comparedBuckets(comparison, new Float64Array(compared.length))) {
    const rows = [...rowsOf(bucket)];
    for (let start = 0; start < rows.length; start += limits.batchRowsMax) {
      const some = rows.slice(start, start + limits.batchRowsMax);
      // A writer's chunks are used again by its next batch.
      for (const chunk of writer.batch(changeBatch(shown, bucket, schema, some))) yield Buffer.from(chunk);
      sent.rows += some.length;
    }
  }
  yield END_OF_STREAM;
}

/** Which batch (0 the earlier, 1 the later), which of its rows, and what became of it. */
type ChangedRow = [batch: 0 | 1, row: number, change: string];

function* rowsOf({ added, removed, changed }: ComparedBucket): Generator<ChangedRow> {
  for (const row of removed) yield [0, row, 'removed'];
  for (const row of added) yield [1, row, 'added'];
  for (let i = 0; i < changed.length; i += 2) {
    yield [0, changed[i]!, 'changed-from'];
    yield [1, changed[i + 1]!, 'changed-to'];
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
