/** Loops that fill columns of numbers ("Binary Protocol Value"). Little-endian on the wire and in Arrow. */
import type {
  BoolBuilder,
  ColumnBuilder,
  Decimal128Builder,
  Int64Builder,
  NumberBuilder,
} from '../../columnar/builders/index.ts';
import { type Fill, fillEach, type Report } from './fill-each.ts';
import { countAt } from './scan.ts';

const TWO_32 = 4_294_967_296;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
/** So many digits are exact in a double. */
const EXACT_DIGITS = 15;
/** Digits multiplied in at a time: a word of 32 bits times a million stays exact. */
const GROUP_DIGITS = 6;
const groupFactors = Array.from({ length: GROUP_DIGITS + 1 }, (_, i) => 10 ** i);

/** tinyint, smallint, year. */
export function fillSmall(builder: NumberBuilder, width: 1 | 2): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes, view } = window;
    builder.reserve(rows);
    const { values, length } = builder;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      if (at === 0) {
        values[length + row] = 0;
        builder.setNull(length + row);
        // A typed array keeps the low bits: signed and unsigned are the same here.
      } else values[length + row] = width === 1 ? (bytes[at] as number) : view.getUint16(at, true);
    }
    builder.advance(rows);
  };
}

/** int, bigint, float, double: their bits as they are, in words of 32. `cells` is the builder's memory. */
export function fillWords(builder: ColumnBuilder, wordsOfCell: 1 | 2, cells: () => ArrayBufferView): Fill {
  let words = new Int32Array(0);
  return ({ window, offsets, columns, rows }, column) => {
    const { view } = window;
    builder.reserve(rows);
    const memory = cells();
    if (words.buffer !== memory.buffer) words = new Int32Array(memory.buffer as ArrayBuffer);
    const { length } = builder;
    let to = length * wordsOfCell;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += wordsOfCell) {
      const at = offsets[i] as number;
      if (at === 0) {
        words[to] = 0;
        if (wordsOfCell === 2) words[to + 1] = 0;
        builder.setNull(length + row);
        continue;
      }
      words[to] = view.getInt32(at, true);
      if (wordsOfCell === 2) words[to + 1] = view.getInt32(at + 4, true);
    }
    builder.advance(rows);
  };
}

/** bit(1): one byte, counted. */
export function fillBit(builder: BoolBuilder): Fill {
  return fillEach(builder, ({ bytes }, at) => builder.append(bytes[at + 1] !== 0));
}

/** bit(2) to bit(64): as many bytes as are needed, counted, the first one the highest. */
export function fillBits(builder: Int64Builder): Fill {
  return fillEach(builder, ({ bytes }, at) => {
    let high = 0;
    let low = 0;
    for (let i = 1; i <= (bytes[at] as number); i++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | (bytes[at + i] as number);
    }
    builder.append(high, low);
  });
}

/** Text with all digits of the column's scale: without its point it is the unscaled value. */
export function fillDecimals(builder: Decimal128Builder): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes } = window;
    builder.reserve(rows);
    const { words, length } = builder;
    let to = length * 4;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += 4) {
      const at = offsets[i] as number;
      if (at === 0) {
        words.fill(0, to, to + 4);
        builder.setNull(length + row);
      } else storeDecimal(words, to, bytes, at + 1, at + 1 + (bytes[at] as number));
    }
    builder.advance(rows);
  };
}

/** Writes the digits of `bytes[start, end)`, whatever stands between them, as a decimal128 at `to`. */
function storeDecimal(words: Int32Array, to: number, bytes: Buffer, start: number, end: number): void {
  const isNegative = bytes[start] === MINUS;
  let value = 0;
  let digits = 0;
  let at = isNegative ? start + 1 : start;
  for (; at < end && digits < EXACT_DIGITS; at++) {
    const digit = (bytes[at] as number) - DIGIT_0;
    if (digit < 0) continue;
    value = value * 10 + digit;
    digits++;
  }
  const high = Math.floor(value / TWO_32);
  let [a, b, c, d] = [value - high * TWO_32, high, 0, 0];
  while (at < end) {
    let group = 0;
    let size = 0;
    for (; at < end && size < GROUP_DIGITS; at++) {
      const digit = (bytes[at] as number) - DIGIT_0;
      if (digit < 0) continue;
      group = group * 10 + digit;
      size++;
    }
    const factor = groupFactors[size] as number;
    a = a * factor + group;
    const carryA = Math.floor(a / TWO_32);
    a -= carryA * TWO_32;
    b = b * factor + carryA;
    const carryB = Math.floor(b / TWO_32);
    b -= carryB * TWO_32;
    c = c * factor + carryB;
    const carryC = Math.floor(c / TWO_32);
    c -= carryC * TWO_32;
    d = d * factor + carryC;
  }
  if (!isNegative) storeWords(words, to, a, b, c, d);
  else {
    // Two's complement: the bits turned, plus one that carries while the lower words are zero.
    const carryB = a === 0 ? 1 : 0;
    const carryC = carryB === 1 && b === 0 ? 1 : 0;
    const carryD = carryC === 1 && c === 0 ? 1 : 0;
    storeWords(words, to, ~a + 1, ~b + carryB, ~c + carryC, ~d + carryD);
  }
}

function storeWords(words: Int32Array, to: number, a: number, b: number, c: number, d: number): void {
  words[to] = a;
  words[to + 1] = b;
  words[to + 2] = c;
  words[to + 3] = d;
}

/** Text of up to 65 digits into fewer: a cell that does not fit exactly is unrepresentable. */
export function fillNarrowDecimals(builder: Decimal128Builder, report: Report): Fill {
  const { precision, scale } = builder.type;
  return fillEach(builder, (window, at) => {
    const text = window.bytes.toString('latin1', at + 1, at + 1 + countAt(window, at));
    const digits = unscaledDigits(text, precision, scale);
    if (digits === undefined) {
      builder.appendNull();
      report(builder.length - 1, 'OUT_OF_RANGE');
      return;
    }
    builder.reserve(1);
    const cell = Buffer.from(digits, 'latin1');
    storeDecimal(builder.words, builder.length * 4, cell, 0, cell.length);
    builder.advance(1);
  });
}

/** Sign and digits of `text` as an integer of `scale`; undefined where digits would be lost. */
function unscaledDigits(text: string, precision: number, scale: number): string | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  const fits = fraction.length <= scale && whole.length <= precision - scale;
  return fits ? `${sign}${whole}${fraction.padEnd(scale, '0')}` : undefined;
}
