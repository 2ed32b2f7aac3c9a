/**
 * Keys of rows as bytes: two rows have the same key when the stored bytes of their key columns are equal.
 * Hashes find candidates; the bytes decide.
 *
 * The order of keys is that of their hashes, and of their bytes where hashes are equal: it spreads rows evenly, and is
 * the order of rows in a bucket. Another hash is another order: see KEY_HASH.
 */
import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import { bitAt } from './bits.ts';
import { layoutOf } from './layout.ts';

/** Positions of the key's columns. @throws HuitongError TYPE_UNMAPPED for a column that is absent or nested */
export function keyColumns(schema: Schema, key: string[]): number[] {
  return key.map((name) => {
    const position = schema.fields.findIndex((field) => field.name === name);
    const kind = position < 0 ? undefined : layoutOf(schema.fields[position]!.type).kind;
    if (kind === 'bits' || kind === 'fixed' || kind === 'variable') return position;
    const what = kind === undefined ? 'is not read from the source' : 'has a nested type';
    throw new HuitongError('TYPE_UNMAPPED', `key column ${JSON.stringify(name)} ${what}`, {
      at: name,
      hint: 'Name columns of plain types in the contract’s `key`, and read them.',
    });
  });
}

/** Names how keys are hashed, wherever rows are kept in the order of their hashes. */
export const KEY_HASH = 'fnv-murmur/1';

/** Two independent 32-bit halves of a hash, a row each. */
export interface KeyHashes {
  high: Uint32Array;
  low: Uint32Array;
}

export function hashKeys(batch: RecordBatch, columns: number[], hashes: KeyHashes): void {
  const { high, low } = hashes;
  high.fill(0x9e3779b9, 0, batch.numRows);
  low.fill(0x7f4a7c15, 0, batch.numRows);
  for (const position of columns) hashColumn(batch.data.children[position]!, hashes);
  for (let row = 0; row < batch.numRows; row++) {
    // murmur3's finaliser: buckets are taken from the top bits.
    let mixed = high[row]!;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    high[row] = mixed ^ (mixed >>> 16);
  }
}

function hashColumn(data: Data, { high, low }: KeyHashes): void {
  const cells = cellsOf(data);
  for (let row = 0; row < data.length; row++) {
    const end = cells.end(row);
    let at = cells.start(row);
    let a = high[row]! ^ (end - at);
    let b = low[row]! + (end - at);
    for (; at < end; at++) {
      const byte = cells.bytes[at]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul((b << 5) - b + byte, 0x9e3779b1) ^ (b >>> 15);
    }
    high[row] = a;
    low[row] = b;
  }
}

export function keyHashesOf(batch: RecordBatch, columns: number[]): KeyHashes {
  const hashes = { high: new Uint32Array(batch.numRows), low: new Uint32Array(batch.numRows) };
  hashKeys(batch, columns, hashes);
  return hashes;
}

/** Compares keys by their bytes: column by column, shorter cells first. */
export function keyOrder(
  left: RecordBatch,
  right: RecordBatch,
  columns: number[],
): (leftRow: number, rightRow: number) => number {
  const pairs = columns.map((position) => [
    cellsOf(left.data.children[position]!),
    cellsOf(right.data.children[position]!),
  ]);
  return (leftRow, rightRow) => {
    for (const [a, b] of pairs as [Cells, Cells][]) {
      const order = compareCells(a, leftRow, b, rightRow);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compareCells(left: Cells, leftRow: number, right: Cells, rightRow: number): number {
  const [a, b] = [left.start(leftRow), right.start(rightRow)];
  const size = left.end(leftRow) - a;
  const difference = size - (right.end(rightRow) - b);
  if (difference !== 0) return difference;
  for (let i = 0; i < size; i++) {
    const order = left.bytes[a + i]! - right.bytes[b + i]!;
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Whether rows come in the order of keys, each key once, with hashes from `first` to `last`: to be asked of one batch
 * after the other.
 */
export function bucketOrder(columns: number[], first: number, last: number): (batch: RecordBatch) => boolean {
  let before: { batch: RecordBatch; hashes: KeyHashes } | undefined;
  return (batch) => {
    const hashes = keyHashesOf(batch, columns);
    const ascends = (from: KeyHashes, a: number, b: number, order: () => number) =>
      (from.high[a]! - hashes.high[b]! || from.low[a]! - hashes.low[b]! || order()) < 0;
    const within = keyOrder(batch, batch, columns);
    for (let row = 0; row < batch.numRows; row++) {
      if (hashes.high[row]! < first || hashes.high[row]! > last) return false;
      if (row > 0 && !ascends(hashes, row - 1, row, () => within(row - 1, row))) return false;
    }
    if (before !== undefined && batch.numRows > 0) {
      const end = before.batch.numRows - 1;
      const across = keyOrder(before.batch, batch, columns);
      if (!ascends(before.hashes, end, 0, () => across(end, 0))) return false;
    }
    if (batch.numRows > 0) before = { batch, hashes };
    return true;
  };
}

/** Up to here rows sort with their number in one double: 32 bits of hash, 21 of row. */
const PACKED_ROWS_MAX = 2 ** 21;

/** Row numbers in the order of keys; rows of one key by `tie`. */
export function sortedByKey(
  batch: RecordBatch,
  columns: number[],
  { high, low }: KeyHashes,
  tie: ArrayLike<number>,
): Uint32Array {
  const rows = batch.numRows;
  const byKey = keyOrder(batch, batch, columns);
  const fine = (a: number, b: number) => low[a]! - low[b]! || byKey(a, b) || tie[a]! - tie[b]!;
  if (rows > PACKED_ROWS_MAX) {
    return Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => high[a]! - high[b]! || fine(a, b));
  }
  const packed = new Float64Array(rows);
  for (let row = 0; row < rows; row++) packed[row] = high[row]! * PACKED_ROWS_MAX + row;
  packed.sort();
  const order = Uint32Array.from(packed, (value) => value % PACKED_ROWS_MAX);
  for (let start = 0; start < rows; ) {
    let end = start + 1;
    while (end < rows && high[order[end]!] === high[order[start]!]) end++;
    if (end - start > 1) order.subarray(start, end).sort(fine);
    start = end;
  }
  return order;
}

/** The key's bytes as text that compares exactly. */
export function keyAt(batch: RecordBatch, columns: number[], row: number): string {
  return columns
    .map((position) => {
      const cells = cellsOf(batch.data.children[position]!);
      const [start, end] = [cells.start(row), cells.end(row)];
      return `${end - start}:${Buffer.from(cells.bytes.buffer, cells.bytes.byteOffset + start, end - start).toString('latin1')}`;
    })
    .join();
}

/** Where the bytes of each cell are. */
interface Cells {
  bytes: Uint8Array;
  start(row: number): number;
  end(row: number): number;
}

function cellsOf(data: Data): Cells {
  const layout = layoutOf(data.type);
  if (layout.kind === 'bits') return fixedCells(unpackBits(data), 1);
  const values: ArrayBufferView = data.values;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (layout.kind === 'fixed') return fixedCells(bytes, layout.bytes);
  const offsets: Int32Array | BigInt64Array = data.valueOffsets;
  return { bytes, start: (row) => Number(offsets[row]), end: (row) => Number(offsets[row + 1]) };
}

function fixedCells(bytes: Uint8Array, width: number): Cells {
  return { bytes, start: (row) => row * width, end: (row) => (row + 1) * width };
}

function unpackBits(data: Data): Uint8Array {
  return Uint8Array.from({ length: data.length }, (_, row) => Number(bitAt(data.values, data.offset + row)));
}
