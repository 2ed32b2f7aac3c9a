/** Loops that fill columns of text, bytes and identifiers; and, for cells larger than the window, their pieces. */
import { isUtf8 } from 'node:buffer';
import type { BytesBuilder, FixedSizeBinaryBuilder } from '../../columnar/builders/index.ts';
import { limits } from '../../lib/limits.ts';
import { type Fill, fillEach, type Report } from './fill-each.ts';
import { counts } from './packets.ts';
import { countAt, countBytes, type ScannedRows } from './scan.ts';
import type { Window } from './window.ts';

/** A cell larger than `cellBytesMax`; whoever knows the column's name says it. */
export class CellTooLarge extends Error {}

/** A counted cell in pieces: any number of `write`s, then `end`. */
export interface PieceWriter {
  /** Throws CellTooLarge. */
  write(window: Window, at: number, length: number): void;
  end(): void;
}

export function fillBytes(builder: BytesBuilder): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes } = window;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      if (at === 0) {
        builder.appendNull();
        continue;
      }
      const first = bytes[at] as number;
      if (first < counts.two) builder.append(window, at + 1, first);
      else builder.append(window, at + countBytes(first), countAt(window, at));
    }
  };
}

/**
 * As `fillBytes`, then all of it is tested at once: bytes that are UTF-8 as a whole, with no cell that begins within a
 * character, are UTF-8 cell by cell. Only otherwise is each cell tested, and one that is no text becomes null.
 */
export function fillText(builder: BytesBuilder, report: Report): Fill {
  const fill = fillBytes(builder);
  return (scanned, column) => {
    const { length, dataLength } = builder;
    fill(scanned, column);
    const isText = isUtf8(builder.data.subarray(dataLength, builder.dataLength));
    if (isText && !beginsWithin(scanned, column)) return;
    builder.truncate(length);
    fillTested(builder, report)(scanned, column);
  };
}

/** Whether a cell begins with a byte that continues a character. */
function beginsWithin({ window, offsets, columns, rows }: ScannedRows, column: number): boolean {
  const { bytes } = window;
  for (let row = 0, i = column; row < rows; row++, i += columns) {
    const at = offsets[i] as number;
    const first = bytes[at] as number;
    if (at !== 0 && first > 0 && ((bytes[at + countBytes(first)] as number) & 0xc0) === 0x80) return true;
  }
  return false;
}

function fillTested(builder: BytesBuilder, report: Report): Fill {
  return fillEach(builder, (window, at) => {
    const start = at + countBytes(window.bytes[at] as number);
    const length = countAt(window, at);
    if (isUtf8(window.bytes.subarray(start, start + length))) builder.append(window, start, length);
    else refuse(builder, report);
  });
}

function refuse(builder: BytesBuilder, report: Report): void {
  builder.appendNull();
  report(builder.length - 1, 'INVALID_TEXT');
}

/** `report` present: the cell must be text. */
export function pieceWriter(builder: BytesBuilder, report?: Report): PieceWriter {
  return {
    write({ bytes }, at, length) {
      builder.reserveBytes(length);
      builder.data.set(bytes.subarray(at, at + length), builder.dataLength);
      builder.dataLength += length;
      if (builder.cellBytes > limits.cellBytesMax) throw new CellTooLarge();
    },
    end() {
      const cell = builder.data.subarray(builder.dataLength - builder.cellBytes, builder.dataLength);
      if (report === undefined || isUtf8(cell)) builder.endCell();
      else {
        builder.abandonCell();
        refuse(builder, report);
      }
    },
  };
}

const DASH = 0x2d;

/** MariaDB's uuid: 36 characters. */
export function fillUuids(builder: FixedSizeBinaryBuilder): Fill {
  return fillEach(builder, ({ bytes }, at) => {
    builder.reserve(1);
    const { values } = builder;
    let to = builder.length * 16;
    for (let i = at + 1; i <= at + (bytes[at] as number); i++) {
      if (bytes[i] === DASH) continue;
      values[to++] = (hexDigit(bytes[i] as number) << 4) | hexDigit(bytes[++i] as number);
    }
    builder.advance(1);
  });
}

/** The value of an ASCII digit, `a` to `f` or `A` to `F`. */
function hexDigit(character: number): number {
  return character <= 0x39 ? character - 0x30 : (character | 0x20) - 0x57;
}
