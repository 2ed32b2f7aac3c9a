/** Columns of text made from other columns, cell by cell, into memory that is allocated once. Nulls stay null. */
import { Data, type DataType, Utf8 } from 'apache-arrow';
import { bitAt, bitmapBytes, copyBits } from './bits.ts';
import { boundsOf } from './order.ts';

/** Writes one cell's bytes into `target` from `at` and returns where they end. Not called for nulls. */
export type WriteCell = (target: Uint8Array, at: number, row: number) => number;

/** @param bytesMax an upper bound of what all cells take together */
export function textColumn(from: Data, bytesMax: number, write: WriteCell): Data<Utf8> {
  const offsets = new Int32Array(from.length + 1);
  const values = new Uint8Array(bytesMax);
  const { nullCount, nullBitmap, offset } = from;
  let end = 0;
  for (let row = 0; row < from.length; row++) {
    if (nullCount === 0 || bitAt(nullBitmap, offset + row)) end = write(values, end, row);
    offsets[row + 1] = end;
  }
  return columnOf(new Utf8(), from.length, [offsets, values.subarray(0, end), validityOf(from)]);
}

/** The same nulls, other values. */
export function fixedColumn<T extends DataType>(type: T, from: Data, values: ArrayBufferView): Data<T> {
  return columnOf(type, from.length, [undefined, values, validityOf(from)]);
}

/** The same text in every row. */
export function repeatedText(rows: number, text: Uint8Array): Data<Utf8> {
  const offsets = Int32Array.from({ length: rows + 1 }, (_, row) => row * text.length);
  const values = new Uint8Array(rows * text.length);
  for (let row = 0; row < rows; row++) values.set(text, row * text.length);
  return columnOf(new Utf8(), rows, [offsets, values, undefined]);
}

/** The same number in every row. The type's cells are at most 32 bits, or doubles. */
export function repeatedNumber<T extends DataType>(type: T, rows: number, value: number): Data<T> {
  return columnOf(type, rows, [undefined, new type.ArrayType(rows).fill(value), undefined]);
}

export function repeatedBool<T extends DataType>(type: T, rows: number, value: boolean): Data<T> {
  return columnOf(type, rows, [undefined, new Uint8Array(bitmapBytes(rows)).fill(value ? 0xff : 0), undefined]);
}

/** How many code points of a text stay at its head and its tail; a text of at most `hidden` of them is hidden whole. */
export interface KeptEnds {
  hidden: number;
  head: number;
  tail: number;
}

const STAR = 0x2a;

/** Text (UTF-8) whose middle is stars, one for each code point. */
export function starText(data: Data, kept: KeptEnds): Data<Utf8> {
  const bytes: Uint8Array = data.values;
  const bounds = boundsOf(data);
  if (data.nullCount === 0) {
    const ascii = asciiOf(bytes.subarray(bounds(0), bounds(data.length)));
    if (ascii !== undefined) return starAscii(data, ascii, kept);
  }
  // A star is never longer than what it stands for.
  return textColumn(data, bounds(data.length) - bounds(0), (target, start, row) =>
    star(bytes, bounds(row), bounds(row + 1), kept, target, start),
  );
}

/** A copy in memory of its own, where every byte is a character of its own. */
function asciiOf(bytes: Uint8Array): Uint8Array | undefined {
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  padded.set(bytes);
  for (const word of new Uint32Array(padded.buffer)) if ((word & 0x8080_8080) !== 0) return undefined;
  return padded.subarray(0, bytes.byteLength);
}

/** A star takes the place of one byte, so no cell moves. */
function starAscii(data: Data, values: Uint8Array, { hidden, head, tail }: KeptEnds): Data<Utf8> {
  const bounds = boundsOf(data);
  const begin = bounds(0);
  const offsets = new Int32Array(data.length + 1);
  let from = 0;
  for (let row = 0; row < data.length; row++) {
    const to = bounds(row + 1) - begin;
    const shown = to - from > hidden;
    const end = shown ? to - tail : to;
    for (let at = shown ? from + head : from; at < end; at++) values[at] = STAR;
    offsets[row + 1] = to;
    from = to;
  }
  return columnOf(new Utf8(), data.length, [offsets, values, undefined]);
}

/** Returns where the cell ends in `target`. */
function star(bytes: Uint8Array, from: number, to: number, kept: KeptEnds, target: Uint8Array, start: number): number {
  let codePoints = 0;
  for (let i = from; i < to; i++) if (startsCodePoint(bytes[i]!)) codePoints++;
  const shown = codePoints > kept.hidden;
  let at = start;
  let next = from;
  for (let left = shown ? kept.head : 0; left > 0; left--) {
    do target[at++] = bytes[next++]!;
    while (next < to && !startsCodePoint(bytes[next]!));
  }
  let tail = to;
  for (let left = shown ? kept.tail : 0; left > 0; left--) {
    do tail--;
    while (tail > next && !startsCodePoint(bytes[tail]!));
  }
  for (let stars = shown ? codePoints - kept.head - kept.tail : codePoints; stars > 0; stars--) target[at++] = STAR;
  while (tail < to) target[at++] = bytes[tail++]!;
  return at;
}

/** UTF-8: every byte but a continuation (10xxxxxx). */
function startsCodePoint(byte: number): boolean {
  return (byte & 0xc0) !== 0x80;
}

function validityOf(data: Data): Uint8Array | undefined {
  if (data.nullCount === 0) return undefined;
  const bits = new Uint8Array(bitmapBytes(data.length));
  copyBits(data.nullBitmap, data.offset, bits, 0, data.length);
  return bits;
}

type BufferList = ConstructorParameters<typeof Data>[4];

function columnOf<T extends DataType>(
  type: T,
  rows: number,
  [offsets, values, validity]: [Int32Array | undefined, ArrayBufferView, Uint8Array | undefined],
): Data<T> {
  const nulls = validity === undefined ? 0 : -1;
  return new Data(type, 0, rows, nulls, [offsets, values, validity] as BufferList) as Data<T>;
}
