/**
 * Cells compared with a literal, without an object a row. Every comparer gives a negative number, zero or a positive
 * one, as the cell is before, at or behind the literal. What a null compares as is undefined: see `blurNulls`.
 */
import type { Data } from 'apache-arrow';
import { bitAt } from './bits.ts';
import { layoutOf } from './layout.ts';
import { FALSE, TRUE, type Truths } from './truth.ts';

export type CellComparer = (row: number) => number;

/** How the comparer's answer decides. */
export type Relation = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/** For each relation, what is answered where the cell is before, at and behind the literal. */
const answers: Record<Relation, readonly [number, number, number]> = {
  eq: [FALSE, TRUE, FALSE],
  ne: [TRUE, FALSE, TRUE],
  lt: [TRUE, FALSE, FALSE],
  le: [TRUE, TRUE, FALSE],
  gt: [FALSE, FALSE, TRUE],
  ge: [FALSE, TRUE, TRUE],
};

export function compareCells(rows: number, relation: Relation, compare: CellComparer): Truths {
  const [before, at, behind] = answers[relation];
  const truths = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const order = compare(row);
    truths[row] = order < 0 ? before : order > 0 ? behind : at;
  }
  return truths;
}

/** TRUE where the cell is at one of the literals. @param ascending their comparers, in the order of the literals */
export function amongLiterals(rows: number, ascending: CellComparer[]): Truths {
  const truths = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const rank = rankAmong(ascending, row);
    if (rank > 0 && ascending[rank - 1]!(row) === 0) truths[row] = TRUE;
  }
  return truths;
}

/** How many of the ascending literals are at or before the cell. */
export function rankAmong(ascending: CellComparer[], row: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]!(row) >= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Integers of up to 32 bits, days, and floats. NaN is equal to itself and behind every other number, as PostgreSQL and
 * DuckDB have it.
 */
export function numberOrder({ values }: Data, literal: number): CellComparer {
  const cells: Int32Array | Float64Array = values;
  return (row) => {
    const cell = cells[row]!;
    return cell < literal ? -1 : cell === literal ? 0 : 1;
  };
}

/** Little-endian integers of 64 or 128 bits, two's complement where `signed`: int64, timestamps, times, decimals. */
export function wideOrder({ values }: Data, words: 2 | 4, signed: boolean, literal: bigint): CellComparer {
  const { buffer, byteOffset, byteLength } = values as ArrayBufferView;
  const low = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  const high = signed ? new Int32Array(buffer, byteOffset, byteLength >> 2) : low;
  const wanted = Array.from({ length: words }, (_, i) => Number((literal >> BigInt(32 * i)) & 0xffff_ffffn));
  const top = words - 1;
  const wantedTop = signed ? wanted[top]! | 0 : wanted[top]!;
  return (row) => {
    const at = row * words;
    if (high[at + top] !== wantedTop) return high[at + top]! < wantedTop ? -1 : 1;
    for (let word = top - 1; word >= 0; word--) {
      if (low[at + word] !== wanted[word]) return low[at + word]! < wanted[word]! ? -1 : 1;
    }
    return 0;
  };
}

/** Text and bytes, byte by byte: for UTF-8 that is the order of code points. */
export function bytesOrder(data: Data, literal: Uint8Array): CellComparer {
  const bytes: Uint8Array = data.values;
  const bounds = boundsOf(data);
  return (row) => {
    const [start, end] = [bounds(row), bounds(row + 1)];
    const shared = Math.min(end - start, literal.length);
    for (let i = 0; i < shared; i++) {
      const difference = bytes[start + i]! - literal[i]!;
      if (difference !== 0) return difference;
    }
    return end - start - literal.length;
  };
}

/** TRUE where the text begins with these bytes. */
export function startsWithBytes(data: Data, prefix: Uint8Array): Truths {
  const bytes: Uint8Array = data.values;
  const bounds = boundsOf(data);
  const truths = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    const start = bounds(row);
    let same = bounds(row + 1) - start >= prefix.length;
    for (let i = 0; same && i < prefix.length; i++) same = bytes[start + i] === prefix[i];
    if (same) truths[row] = TRUE;
  }
  return truths;
}

export function boolOrder(data: Data, literal: boolean): CellComparer {
  return (row) => Number(bitAt(data.values, data.offset + row)) - Number(literal);
}

/** Where cell `row` of a column of texts or bytes begins; the one before ends there. */
export function boundsOf(data: Data): (row: number) => number {
  const layout = layoutOf(data.type);
  if (layout.kind === 'fixed') return (row) => row * layout.bytes;
  const offsets: Int32Array | BigInt64Array = data.valueOffsets;
  if (offsets instanceof BigInt64Array) return (row) => Number(offsets[row]);
  return (row) => offsets[row]!;
}
