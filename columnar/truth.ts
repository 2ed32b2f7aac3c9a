/**
 * Three-valued logic over rows, as SQL has it: a byte a row. A comparison with null is unknown; `not` of unknown is
 * unknown; `and` is false where either side is false, `or` true where either is true, whatever the other one is.
 * The values are ordered so that `and` is the smaller and `or` the larger of the two.
 */
import type { Data } from 'apache-arrow';
import { bitAt } from './bits.ts';

export const FALSE = 0;
export const UNKNOWN = 1;
export const TRUE = 2;

/** One byte a row: FALSE, UNKNOWN or TRUE. Its maker owns it; the functions here write into their first argument. */
export type Truths = Uint8Array;

export function andInto(target: Truths, other: Truths): Truths {
  for (let row = 0; row < target.length; row++) if (other[row]! < target[row]!) target[row] = other[row]!;
  return target;
}

export function orInto(target: Truths, other: Truths): Truths {
  for (let row = 0; row < target.length; row++) if (other[row]! > target[row]!) target[row] = other[row]!;
  return target;
}

export function invert(target: Truths): Truths {
  for (let row = 0; row < target.length; row++) target[row] = TRUE - target[row]!;
  return target;
}

/** UNKNOWN for every null of the column. */
export function blurNulls(target: Truths, data: Data): Truths {
  if (data.nullCount === 0) return target;
  for (let row = 0; row < target.length; row++) if (!isValid(data, row)) target[row] = UNKNOWN;
  return target;
}

/** TRUE for every null of the column, FALSE for every other cell: never unknown. */
export function nullsOf(data: Data): Truths {
  const truths = new Uint8Array(data.length);
  if (data.nullCount === 0) return truths;
  for (let row = 0; row < truths.length; row++) if (!isValid(data, row)) truths[row] = TRUE;
  return truths;
}

/** Of a column that has a bitmap. A column of Arrow's type null has none, and no cell that is valid. */
function isValid(data: Data, row: number): boolean {
  return data.nullBitmap !== undefined && data.nullBitmap.byteLength > 0 && bitAt(data.nullBitmap, data.offset + row);
}

/** In the same memory: 1 where the truth is TRUE, 0 where it is FALSE or UNKNOWN, as `filterBatch` takes it. */
export function certainly(truths: Truths): Uint8Array {
  for (let row = 0; row < truths.length; row++) truths[row] = truths[row] === TRUE ? 1 : 0;
  return truths;
}
