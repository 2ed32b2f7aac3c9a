/** The rows of two batches by their keys: which are new, gone, or different, and in which columns. Bytes decide. */
import { Data, RecordBatch, Schema, Struct } from 'apache-arrow';
import { rowEquality } from '../../../columnar/equal.ts';
import { keyHashesOf, keyOrder, sortedByKey } from '../../../columnar/keys.ts';

export interface RowDifferences {
  /** Rows of the later batch. */
  added: number[];
  /** Rows of the earlier batch. */
  removed: number[];
  /** Rows with one key, earlier and later by turns. */
  changed: number[];
}

/**
 * Keys are unique in each batch.
 * @param compared places of the columns that both versions have
 * @param counts a number for each of them, raised by the rows in which it differs
 */
export function compareRows(
  from: RecordBatch,
  to: RecordBatch,
  { key, compared }: { key: number[]; compared: number[] },
  counts: Float64Array,
): RowDifferences {
  const [before, after] = [keyHashesOf(from, key), keyHashesOf(to, key)];
  const [left, right] = [inKeyOrder(from, key, before), inKeyOrder(to, key, after)];
  const byBytes = keyOrder(from, to, key);
  const order = (a: number, b: number) =>
    before.high[a]! - after.high[b]! || before.low[a]! - after.low[b]! || byBytes(a, b);
  const equalities = compared.map((place) => rowEquality(column(from, place), column(to, place)));
  const found: RowDifferences = { added: [], removed: [], changed: [] };
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i], right[j]];
    const turn = a === undefined ? 1 : b === undefined ? -1 : order(a, b);
    if (turn < 0) found.removed.push(left[i++]!);
    else if (turn > 0) found.added.push(right[j++]!);
    else {
      let same = true;
      for (const [place, equal] of equalities.entries()) {
        if (equal(a!, b!)) continue;
        counts[place]!++;
        same = false;
      }
      if (!same) found.changed.push(a!, b!);
      i++;
      j++;
    }
  }
  return found;
}

function inKeyOrder(batch: RecordBatch, key: number[], hashes: ReturnType<typeof keyHashesOf>): Uint32Array {
  return sortedByKey(
    batch,
    key,
    hashes,
    Uint32Array.from({ length: batch.numRows }, (_, row) => row),
  );
}

function column(batch: RecordBatch, place: number): RecordBatch {
  const schema = new Schema([batch.schema.fields[place]!]);
  const children = [batch.data.children[place]!];
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children));
}
