/**
 * Keeps some rows of a batch. Rows that stay are copied run by run: where few rows fail, the cost is that of copying
 * the batch once.
 */
import { Data, RecordBatch } from 'apache-arrow';
import { bitmapBytes, copyBits } from './bits.ts';
import { layoutOf } from './layout.ts';

/** Starts and ends of the runs that stay, by turns; ascending. */
type Runs = Uint32Array;

/**
 * A new batch of the rows whose byte in `mask` equals `keep`, with memory of its own.
 * Null masks stand for all zeros, as in a `BatchVerdict`.
 */
export function filterBatch(batch: RecordBatch, mask: Uint8Array | null, keep: 0 | 1): RecordBatch {
  const rows = batch.numRows;
  const wanted = mask ?? new Uint8Array(rows);
  return takeRuns(batch, runsOf(wanted, rows, keep));
}

/** A new batch of rows `[start, end)`, with memory of its own. */
export function copyRows(batch: RecordBatch, start: number, end: number): RecordBatch {
  return takeRuns(batch, Uint32Array.of(start, end));
}

function takeRuns(batch: RecordBatch, runs: Runs): RecordBatch {
  const kept = rowsOf(runs);
  const children = batch.data.children.map((column) => take(column, runs, kept));
  return new RecordBatch(batch.schema, new Data(batch.data.type, 0, kept, 0, undefined, children));
}

function runsOf(mask: Uint8Array, rows: number, keep: 0 | 1): Runs {
  const runs: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (mask[row] !== keep) continue;
    const start = row;
    while (row < rows && mask[row] === keep) row++;
    runs.push(start, row);
  }
  return Uint32Array.from(runs);
}

function rowsOf(runs: Runs): number {
  let rows = 0;
  for (let i = 0; i < runs.length; i += 2) rows += runs[i + 1]! - runs[i]!;
  return rows;
}

function take(data: Data, runs: Runs, kept: number): Data {
  const layout = layoutOf(data.type);
  if (layout.kind === 'null') return new Data(data.type, 0, kept, kept);
  const validity = data.nullCount > 0 ? takeBits(data.nullBitmap, data.offset, runs, kept) : undefined;
  const build = (offsets?: Offsets, values?: ArrayBufferView, children?: Data[]): Data =>
    new Data(data.type, 0, kept, validity === undefined ? 0 : -1, [offsets, values, validity] as BufferList, children);
  switch (layout.kind) {
    case 'bits':
      return build(undefined, takeBits(data.values, data.offset, runs, kept));
    case 'fixed':
      return build(undefined, takeFixed(data.values, data.stride, runs, kept));
    case 'variable': {
      const inner = childRuns(data.valueOffsets, runs);
      return build(takeOffsets(data.valueOffsets, runs, kept), takeFixed(data.values, 1, inner, rowsOf(inner)));
    }
    case 'list': {
      const inner = childRuns(data.valueOffsets, runs);
      return build(takeOffsets(data.valueOffsets, runs, kept), undefined, [
        take(data.children[0]!, inner, rowsOf(inner)),
      ]);
    }
    case 'fixedList': {
      const inner = runs.map((row) => row * layout.size);
      return build(undefined, undefined, [take(data.children[0]!, inner, kept * layout.size)]);
    }
    case 'struct':
      return build(
        undefined,
        undefined,
        data.children.map((child) => take(child, runs, kept)),
      );
  }
}

type BufferList = ConstructorParameters<typeof Data>[4];
type Offsets = Int32Array | BigInt64Array;

function takeBits(bitmap: Uint8Array, offset: number, runs: Runs, kept: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(kept));
  let to = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const count = runs[i + 1]! - runs[i]!;
    copyBits(bitmap, offset + runs[i]!, bits, to, count);
    to += count;
  }
  return bits;
}

/** What all typed arrays share, as far as copying runs needs it. */
interface Values extends ArrayBufferView {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
}
type ValuesConstructor = new (length: number) => Values;

function takeFixed(values: Values, stride: number, runs: Runs, kept: number): ArrayBufferView {
  const taken = new (values.constructor as ValuesConstructor)(kept * stride);
  const width = stride * values.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = values;
  if (width % 4 === 0 && byteOffset % 4 === 0) {
    copyRuns(new Uint32Array(buffer, byteOffset, byteLength >> 2), new Uint32Array(taken.buffer), width / 4, runs);
  } else {
    copyRuns(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(taken.buffer), width, runs);
  }
  return taken;
}

/** Below this many elements a loop is done before `set` has begun. */
const LOOPED_MAX = 16;

function copyRuns<T extends Uint8Array | Uint32Array>(from: T, into: T, stride: number, runs: Runs): void {
  let to = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [start, end] = [runs[i]! * stride, runs[i + 1]! * stride];
    if (end - start > LOOPED_MAX) {
      into.set(from.subarray(start, end), to);
      to += end - start;
    } else for (let at = start; at < end; at++) into[to++] = from[at]!;
  }
}

/** The same runs, one level down. Empty ones are left in: they copy nothing. */
function childRuns(offsets: Offsets, runs: Runs): Runs {
  return runs.map((row) => Number(offsets[row]));
}

function takeOffsets(offsets: Offsets, runs: Runs, kept: number): Offsets {
  return offsets instanceof BigInt64Array ? takeWide(offsets, runs, kept) : takeNarrow(offsets, runs, kept);
}

function takeNarrow(offsets: Int32Array, runs: Runs, kept: number): Int32Array {
  const taken = new Int32Array(kept + 1);
  let to = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const shift = taken[to]! - offsets[runs[i]!]!;
    for (let row = runs[i]! + 1; row <= runs[i + 1]!; row++) taken[++to] = offsets[row]! + shift;
  }
  return taken;
}

function takeWide(offsets: BigInt64Array, runs: Runs, kept: number): BigInt64Array {
  const taken = new BigInt64Array(kept + 1);
  let to = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const shift = taken[to]! - offsets[runs[i]!]!;
    for (let row = runs[i]! + 1; row <= runs[i + 1]!; row++) taken[++to] = offsets[row]! + shift;
  }
  return taken;
}
