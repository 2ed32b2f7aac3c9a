/** Loops that fill columns of numbers. Big-endian on the wire, little-endian in Arrow and on every platform of Node. */
import type { BoolBuilder, ColumnBuilder, Decimal128Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import { type Fill, LENGTH_BYTES, NULL_LENGTH, type Report } from './cells.ts';

/** Below this many decimal digits every step is exact in a double. */
const EXACT_DIGITS = 15;
const BASE = 10_000;
const TWO_32 = 4_294_967_296;

export function fillBools(builder: BoolBuilder): Fill {
  return ({ source, offsets, first, count }) => {
    const { bytes, view } = source;
    builder.reserve(count);
    const { bits, length } = builder;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const row = length + i;
      if (view.getInt32(at) === NULL_LENGTH) builder.setNull(row);
      else if (bytes[at + LENGTH_BYTES] === 1) bits[row >> 3] = bits[row >> 3]! | (1 << (row & 7));
    }
    builder.advance(count);
  };
}

export function fillInt2(builder: NumberBuilder): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { values, length } = builder;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      values[length + i] = isNull ? 0 : view.getInt16(at + LENGTH_BYTES);
      if (isNull) builder.setNull(length + i);
    }
    builder.advance(count);
  };
}

/** int4, oid and float4: their 32 bits as they are. */
export function fillWords(builder: NumberBuilder): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { length } = builder;
    const words = new Int32Array(builder.values.buffer);
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      words[length + i] = isNull ? 0 : view.getInt32(at + LENGTH_BYTES);
      if (isNull) builder.setNull(length + i);
    }
    builder.advance(count);
  };
}

/** int8 and float8: their 64 bits as they are. `memory` is the builder's, which moves when it grows. */
export function fillDoubleWords(builder: ColumnBuilder, memory: () => ArrayBufferView): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { length } = builder;
    const words = new Int32Array(memory().buffer);
    let to = 2 * length;
    for (let i = 0; i < count; i++, to += 2) {
      const at = offsets[first + i]!;
      if (view.getInt32(at) === NULL_LENGTH) {
        words[to] = 0;
        words[to + 1] = 0;
        builder.setNull(length + i);
      } else {
        words[to] = view.getInt32(at + LENGTH_BYTES + 4);
        words[to + 1] = view.getInt32(at + LENGTH_BYTES);
      }
    }
    builder.advance(count);
  };
}

/** cash_send: a 64-bit count of the smallest unit. */
export function fillMoney(builder: Decimal128Builder): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      if (view.getInt32(at) === NULL_LENGTH) builder.appendNull();
      else builder.appendInt64(view.getInt32(at + LENGTH_BYTES), view.getInt32(at + LENGTH_BYTES + 4));
    }
  };
}

/** numeric_send, behind the length: counts of digits in base 10000, weight of the first, sign, display scale, digits. */
const WEIGHT = LENGTH_BYTES + 2;
const SIGN = LENGTH_BYTES + 4;
const DIGITS = LENGTH_BYTES + 8;
const POSITIVE = 0;
const NEGATIVE = 0x4000;
const NAN = 0xc000;

export function fillNumerics(builder: Decimal128Builder, report: Report): Fill {
  const fillAny = fillWideNumerics(builder, report);
  return builder.type.precision <= EXACT_DIGITS ? fillNarrowNumerics(builder, fillAny) : fillAny;
}

/** Up to 38 digits, one cell at a time; a cell that does not fit is told. */
function fillWideNumerics(builder: Decimal128Builder, report: Report): Fill {
  const digits = new Int16Array(32_768);
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    const refuse = (code: Parameters<Report>[1]) => {
      report(builder.length, code);
      builder.appendNull();
    };
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      if (view.getInt32(at) === NULL_LENGTH) {
        builder.appendNull();
        continue;
      }
      const digitCount = view.getInt16(at + LENGTH_BYTES);
      const sign = view.getUint16(at + SIGN);
      if (sign >= NAN) {
        refuse(sign === NAN ? 'NOT_A_NUMBER' : 'INFINITE');
        continue;
      }
      for (let j = 0; j < digitCount; j++) digits[j] = view.getInt16(at + DIGITS + 2 * j);
      const fits = builder.appendBase10000(digits, digitCount, view.getInt16(at + WEIGHT), sign === NEGATIVE);
      if (!fits) refuse('OUT_OF_RANGE');
    }
  };
}

/**
 * At most 15 digits: one double holds the unscaled value exactly. Every group but the last counts whole; of the last,
 * the scale takes some digits. What is not as usual (a null, NaN, digits below the scale) goes to `fillAny`.
 */
function fillNarrowNumerics(builder: Decimal128Builder, fillAny: Fill): Fill {
  const { precision, scale } = builder.type;
  const bound = 10 ** precision;
  const fractionGroups = Math.ceil(scale / 4);
  const lastFactor = 10 ** (scale - 4 * fractionGroups + 4);
  const lastDivisor = BASE / lastFactor;
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    // Stays the builder’s memory: room for all of them is made.
    const { words } = builder;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const digitCount = view.getInt16(at + LENGTH_BYTES);
      const sign = view.getUint16(at + SIGN);
      const last = view.getInt16(at + WEIGHT) + fractionGroups;
      const isUsual =
        view.getInt32(at) !== NULL_LENGTH && digitCount <= last + 1 && (sign === POSITIVE || sign === NEGATIVE);
      let value = 0;
      let lastGroup = 0;
      if (isUsual && digitCount > 0) {
        for (let j = 0; j < last; j++) value = value * BASE + (j < digitCount ? view.getInt16(at + DIGITS + 2 * j) : 0);
        if (last < digitCount) lastGroup = view.getInt16(at + DIGITS + 2 * last);
        value = value * lastFactor + lastGroup / lastDivisor;
      }
      if (!isUsual || lastGroup % lastDivisor !== 0 || value >= bound) {
        fillAny({ source, offsets, first: first + i, count: 1 });
        continue;
      }
      if (sign === NEGATIVE) value = -value;
      const high = Math.floor(value / TWO_32);
      const extension = high >> 31;
      const to = 4 * builder.length;
      words[to] = value - high * TWO_32;
      words[to + 1] = high;
      words[to + 2] = extension;
      words[to + 3] = extension;
      builder.advance(1);
    }
  };
}
