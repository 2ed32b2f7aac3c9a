/** Loops that fill columns of text, bytes and identifiers, whatever their framing. */
import type { ColumnBuilder, FixedSizeBinaryBuilder } from '../../columnar/builders/index.ts';
import { type Fill, fillEach } from './fill-numbers.ts';
import { isPlpNull, PLP_TOTAL_BYTES, type ScannedRows, TIMESTAMP_BYTES } from './scan.ts';
import type { CellWriter, Problem } from './text.ts';
import type { Window } from './window.ts';
import { framings } from './wire-types.ts';

/** Tells of a cell that became null because Arrow cannot hold it; `row` counts within the batch. */
export type Report = (row: number, problem: NonNullable<Problem>) => void;

/** Ends a cell that `writer` has taken; one that it cannot keep becomes null. */
export function finisher(builder: ColumnBuilder, writer: CellWriter, report: Report): () => void {
  return () => {
    const problem = writer.end();
    if (problem === undefined) return;
    builder.appendNull();
    report(builder.length - 1, problem);
  };
}

export function fillCells(framing: number, builder: ColumnBuilder, writer: CellWriter, finish: () => void): Fill {
  switch (framing) {
    case framings.plp:
      return fillChunked(builder, writer, finish);
    case framings.pointed:
      return fillPointed(builder, writer, finish);
    default:
      return fillShort(builder, writer, finish);
  }
}

function fillShort(builder: ColumnBuilder, writer: CellWriter, finish: () => void): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes } = window;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      const length = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      if (length === 0xffff) {
        builder.appendNull();
        continue;
      }
      writer.begin();
      if (length > 0) writer.write(window, at + 2, length);
      finish();
    }
  };
}

function fillChunked(builder: ColumnBuilder, writer: CellWriter, finish: () => void): Fill {
  return (scanned, column) =>
    eachOffset(scanned, column, (window, start) => {
      const { view } = window;
      if (isPlpNull(view, start)) return builder.appendNull();
      writer.begin();
      let at = start + PLP_TOTAL_BYTES;
      for (let length = view.getUint32(at, true); length > 0; length = view.getUint32(at, true)) {
        writer.write(window, at + 4, length);
        at += 4 + length;
      }
      return finish();
    });
}

function fillPointed(builder: ColumnBuilder, writer: CellWriter, finish: () => void): Fill {
  return (scanned, column) =>
    eachOffset(scanned, column, (window, start) => {
      const pointer = window.bytes[start] as number;
      if (pointer === 0) return builder.appendNull();
      const at = start + 1 + pointer + TIMESTAMP_BYTES;
      writer.begin();
      writer.write(window, at + 4, window.view.getUint32(at, true));
      return finish();
    });
}

function eachOffset(scanned: ScannedRows, column: number, take: (window: Window, at: number) => void): void {
  const { window, offsets, columns, rows } = scanned;
  for (let row = 0, i = column; row < rows; row++, i += columns) take(window, offsets[i] as number);
}

/** The first three fields of a uniqueidentifier are little-endian; a UUID's are not (RFC 9562, section 4). */
export function fillUuids(builder: FixedSizeBinaryBuilder): Fill {
  return fillEach(builder, 1, ({ bytes }, at) => {
    builder.reserve(1);
    const { values } = builder;
    const to = builder.length * 16;
    for (let i = 0; i < 16; i++) values[to + i] = bytes[at + (uuidOrder[i] as number)] as number;
    builder.advance(1);
  });
}

export const uuidOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** rowversion: eight bytes, framed as binary(8). */
export function fillRowversions(builder: FixedSizeBinaryBuilder): Fill {
  return (scanned, column) =>
    eachOffset(scanned, column, (window, at) => {
      if (window.view.getUint16(at, true) === 0xffff) builder.appendNull();
      else builder.append(window, at + 2);
    });
}
