/** What the two phases of decoding share: scanned cells, and the loops that append them to a column. */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ByteSource } from '../../columnar/builders/index.ts';

/** Some cells of one column: `offsets[first]` and the `count - 1` after it tell where each begins, its length included. */
export interface Cells {
  source: ByteSource;
  offsets: Int32Array;
  first: number;
  count: number;
}

/** Appends the cells to a column. */
export type Fill = (cells: Cells) => void;

/** A cell of the source that Arrow cannot hold: it was appended as a null, at `row` of its builder. */
export type Report = (row: number, code: UnrepresentableCell['code']) => void;

/** The length of a null, and of no other cell. */
export const NULL_LENGTH = -1;
export const LENGTH_BYTES = 4;
