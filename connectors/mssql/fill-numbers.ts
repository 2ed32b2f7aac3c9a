/** Loops that fill columns of numbers ([MS-TDS] 2.2.5.5.1 and following). Little-endian on the wire and in Arrow. */
import type { BoolBuilder, ColumnBuilder, Decimal128Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import type { ScannedRows } from './scan.ts';
import type { Window } from './window.ts';

/** Appends one column's cells of all scanned rows. */
export type Fill = (rows: ScannedRows, column: number) => void;

/** Bytes before a cell's value: its length, or nothing where the type is NOT NULL. A length of zero is a null. */
export type Lead = 0 | 1;

/** Any builder, a cell at a time: for the types that are rarer, or cost more to decode than to store. */
export function fillEach(builder: ColumnBuilder, lead: Lead, append: (window: Window, at: number) => void): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      if (lead === 1 && window.bytes[at] === 0) builder.appendNull();
      else append(window, at + lead);
    }
  };
}

/** tinyint (unsigned) and smallint. */
export function fillSmall(builder: NumberBuilder, lead: Lead, bytesOfCell: 1 | 2): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes, view } = window;
    builder.reserve(rows);
    const { values, length } = builder;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      if (lead === 1 && bytes[at] === 0) {
        values[length + row] = 0;
        builder.setNull(length + row);
      } else values[length + row] = bytesOfCell === 1 ? (bytes[at + lead] as number) : view.getInt16(at + lead, true);
    }
    builder.advance(rows);
  };
}

/** int, bigint, real, float: their bits as they are, in words of 32. `cells` is the builder's memory. */
export function fillWords(builder: ColumnBuilder, lead: Lead, wordsOfCell: 1 | 2, cells: () => ArrayBufferView): Fill {
  let words = new Int32Array(0);
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes, view } = window;
    builder.reserve(rows);
    const memory = cells();
    if (words.buffer !== memory.buffer) words = new Int32Array(memory.buffer as ArrayBuffer);
    const { length } = builder;
    let to = length * wordsOfCell;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += wordsOfCell) {
      const at = offsets[i] as number;
      if (lead === 1 && bytes[at] === 0) {
        words[to] = 0;
        if (wordsOfCell === 2) words[to + 1] = 0;
        builder.setNull(length + row);
        continue;
      }
      words[to] = view.getInt32(at + lead, true);
      if (wordsOfCell === 2) words[to + 1] = view.getInt32(at + lead + 4, true);
    }
    builder.advance(rows);
  };
}

export function fillBits(builder: BoolBuilder, lead: Lead): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes } = window;
    builder.reserve(rows);
    const { bits, length } = builder;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      const to = length + row;
      if (lead === 1 && bytes[at] === 0) builder.setNull(to);
      else if (bytes[at + lead] !== 0) bits[to >> 3] = (bits[to >> 3] as number) | (1 << (to & 7));
    }
    builder.advance(rows);
  };
}

/** 2.2.5.5.1.5: length, sign (0 is negative), then 4, 8, 12 or 16 bytes of magnitude. The scale is the column's. */
export function fillDecimals(builder: Decimal128Builder): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes, view } = window;
    builder.reserve(rows);
    const { words, length } = builder;
    let to = length * 4;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += 4) {
      const at = offsets[i] as number;
      const size = bytes[at] as number;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      if (size === 0) builder.setNull(length + row);
      else {
        a = view.getInt32(at + 2, true);
        if (size > 5) b = view.getInt32(at + 6, true);
        if (size > 9) c = view.getInt32(at + 10, true);
        if (size > 13) d = view.getInt32(at + 14, true);
        if (bytes[at + 1] === 0) {
          // Two's complement: the bits turned, plus one that carries while the lower words are zero.
          const isCarryB = a === 0;
          const isCarryC = isCarryB && b === 0;
          const isCarryD = isCarryC && c === 0;
          a = -a;
          b = isCarryB ? -b : ~b;
          c = isCarryC ? -c : ~c;
          d = isCarryD ? -d : ~d;
        }
      }
      words[to] = a;
      words[to + 1] = b;
      words[to + 2] = c;
      words[to + 3] = d;
    }
    builder.advance(rows);
  };
}

/** 2.2.5.5.1.2: ten-thousandths; of eight bytes the upper half comes first. */
export function fillMoney(builder: Decimal128Builder, lead: Lead): Fill {
  return fillEach(builder, lead, ({ view }, at) => {
    builder.appendInt64(view.getInt32(at, true), view.getInt32(at + 4, true));
  });
}

export function fillSmallMoney(builder: Decimal128Builder, lead: Lead): Fill {
  return fillEach(builder, lead, ({ view }, at) => {
    const value = view.getInt32(at, true);
    builder.appendInt64(value >> 31, value);
  });
}
