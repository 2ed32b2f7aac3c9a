/** What the loops that fill columns share. */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ColumnBuilder } from '../../columnar/builders/index.ts';
import type { ScannedRows } from './scan.ts';
import type { Window } from './window.ts';

/** Appends one column's cells of all scanned rows. */
export type Fill = (rows: ScannedRows, column: number) => void;

/** Tells of a cell that became null because Arrow cannot hold it; `row` counts within the batch. */
export type Report = (row: number, problem: UnrepresentableCell['code']) => void;

/** Any builder, a cell at a time: for the types that are rarer, or cost more to decode than to store. */
export function fillEach(builder: ColumnBuilder, append: (window: Window, at: number) => void): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      if (at === 0) builder.appendNull();
      else append(window, at);
    }
  };
}
