/**
 * Keys of rows as bytes: two rows have the same key when the stored bytes of their key columns are equal.
 * Hashes find candidates; the bytes decide.
 */
import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { bitAt } from '../columnar/bits.ts';
import { layoutOf } from '../columnar/layout.ts';
import { HuitongError } from '../lib/errors.ts';

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
