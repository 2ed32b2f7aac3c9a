/** For sources that send columns: batches as they come, brought to a plan's columns and a reader's size. */
import { Data, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { copyRows } from '../columnar/filter.ts';
import { batchBytes } from '../columnar/size.ts';
import { HuitongError } from '../lib/errors.ts';

/** The schema's columns of a batch, in its order. Throws SCHEMA_DRIFT, naming the column, where one is gone or of another type. */
export function columnsOfBatch(batch: RecordBatch, schema: Schema, at: string): RecordBatch {
  const children = schema.fields.map((field): Data => {
    const place = batch.schema.fields.findIndex(({ name }) => name === field.name);
    const type = batch.schema.fields[place]?.type;
    if (type !== undefined && String(type) === String(field.type)) return batch.data.children[place] as Data;
    const what = type === undefined ? 'is gone' : `is ${type}, and not ${field.type}`;
    throw new HuitongError('SCHEMA_DRIFT', `the column ${field.name} ${what}`, { at });
  });
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children));
}

/** Pieces of at most so many rows and bytes; a single row is a piece whatever its size. */
export function* cutBatch(
  batch: RecordBatch,
  cut: { batchRowsMax: number; batchBytesMax: number },
): Generator<RecordBatch> {
  const rows = batch.numRows;
  if (rows === 0) return;
  const rowBytes = Math.max(1, batchBytes(batch) / rows);
  const step = Math.max(1, Math.min(cut.batchRowsMax, Math.floor(cut.batchBytesMax / rowBytes)));
  for (let start = 0; start < rows; start += step) {
    const piece = step >= rows ? batch : copyRows(batch, start, Math.min(rows, start + step));
    yield* withinBytes(piece, cut.batchBytesMax);
  }
}

/** Rows differ in size: a piece that became too large is halved. */
function* withinBytes(piece: RecordBatch, bytesMax: number): Generator<RecordBatch> {
  const rows = piece.numRows;
  if (rows <= 1 || piece.data.byteLength <= bytesMax) return yield piece;
  const middle = rows >> 1;
  yield* withinBytes(copyRows(piece, 0, middle), bytesMax);
  yield* withinBytes(copyRows(piece, middle, rows), bytesMax);
}
