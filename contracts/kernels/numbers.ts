/**
 * Kernels over number columns. Bounds on integers, decimals, dates and times are one interval of stored integers,
 * worked out once; no cell is converted.
 */
import type { Data } from 'apache-arrow';
import type { Kernel } from '../check.ts';
import { isMultipleOf } from '../exact.ts';
import { unscaledAt } from '../image.ts';

/** Both ends belong to it; empty where low > high. */
export interface Interval {
  low: bigint;
  high: bigint;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Integers of up to 32 bits, days and small times: every stored value is a safe `number`. */
export function smallIntegerRange({ low, high }: Interval): Kernel {
  const [least, greatest] = [Number(low), Number(high)];
  return (column, from, to, mask) => {
    const { values } = column;
    for (let row = from; row < to; row++) {
      const value: number = values[row];
      mask[row] = mask[row]! | (value >= least && value <= greatest ? 0 : 1);
    }
  };
}

/** Bits 32–63 (signed) and 0–31 (unsigned) of a bound. */
function wordsOf(bound: bigint): [high: number, low: number] {
  return [Number(BigInt.asIntN(64, bound) >> 32n), Number(BigInt.asUintN(32, bound))];
}

/** Signed 64-bit values compared as two 32-bit words each: reading a BigInt a cell would cost ten times as much. */
export function int64Range({ low, high }: Interval): Kernel {
  const [leastHigh, leastLow] = wordsOf(low < int64Min ? int64Min : low);
  const [greatestHigh, greatestLow] = wordsOf(high > int64Max ? int64Max : high);
  return (column, from, to, mask) => {
    const { buffer, byteOffset, length } = column.values as BigInt64Array;
    const words = new Int32Array(buffer, byteOffset, length * 2);
    for (let row = from; row < to; row++) {
      const upper = words[2 * row + 1]!;
      const lower = words[2 * row]! >>> 0;
      const below = upper < leastHigh || (upper === leastHigh && lower < leastLow);
      const above = upper > greatestHigh || (upper === greatestHigh && lower > greatestLow);
      mask[row] = mask[row]! | (below || above ? 1 : 0);
    }
  };
}

export function uint64Range({ low, high }: Interval): Kernel {
  return (column, from, to, mask) => {
    const values = column.values as BigUint64Array;
    for (let row = from; row < to; row++) {
      const value = values[row]!;
      mask[row] = mask[row]! | (value >= low && value <= high ? 0 : 1);
    }
  };
}

/** Unscaled 128-bit integers: those that fit 64 bits are compared by words, the few others as BigInt. */
export function decimalRange({ low, high }: Interval): Kernel {
  const clamp = (bound: bigint) => (bound < int64Min ? int64Min : bound > int64Max ? int64Max : bound);
  const [leastHigh, leastLow] = wordsOf(clamp(low));
  const [greatestHigh, greatestLow] = wordsOf(clamp(high));
  const noneFits = low > int64Max || high < int64Min;
  return (column, from, to, mask) => {
    const words = column.values as Uint32Array;
    for (let row = from; row < to; row++) {
      const at = row * 4;
      const upper = words[at + 1]! | 0;
      const lower = words[at]!;
      const sign = (upper >> 31) >>> 0;
      let fails: boolean;
      if (words[at + 2] === sign && words[at + 3] === sign) {
        const below = upper < leastHigh || (upper === leastHigh && lower < leastLow);
        const above = upper > greatestHigh || (upper === greatestHigh && lower > greatestLow);
        fails = noneFits || below || above;
      } else {
        const value = unscaledAt(words, row);
        fails = value < low || value > high;
      }
      mask[row] = mask[row]! | (fails ? 1 : 0);
    }
  };
}

export interface FloatBounds {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** NaN and infinities are no JSON numbers: bounds do not apply to them, `type` refuses them. */
export function floatRange(bounds: FloatBounds): Kernel {
  const minimum = bounds.minimum ?? Number.NEGATIVE_INFINITY;
  const maximum = bounds.maximum ?? Number.POSITIVE_INFINITY;
  const above = bounds.exclusiveMinimum ?? Number.NEGATIVE_INFINITY;
  const below = bounds.exclusiveMaximum ?? Number.POSITIVE_INFINITY;
  return (column, from, to, mask) => {
    const { values } = column;
    for (let row = from; row < to; row++) {
      const value: number = values[row];
      // Inside, or not finite (x - x is 0 for finite x only).
      const holds = (value >= minimum && value <= maximum && value > above && value < below) || value - value !== 0;
      mask[row] = mask[row]! | (holds ? 0 : 1);
    }
  };
}

export const floatFinite: Kernel = (column, from, to, mask) => {
  const { values } = column;
  for (let row = from; row < to; row++) {
    mask[row] = mask[row]! | (values[row] - values[row] === 0 ? 0 : 1);
  }
};

export const floatIntegral: Kernel = (column, from, to, mask) => {
  const { values } = column;
  for (let row = from; row < to; row++) {
    mask[row] = mask[row]! | (Number.isInteger(values[row]) ? 0 : 1);
  }
};

/** What is exact in doubles below this needs no BigInt. */
const plainMax = 1e15;

export function floatMultipleOf(divisor: number): Kernel {
  const decimals = /^\d+(?:\.(\d{1,9}))?$/.exec(String(divisor));
  const factor = 10 ** (decimals?.[1]?.length ?? 0);
  const unscaled = decimals === null ? Number.NaN : Math.round(divisor * factor);
  return (column, from, to, mask) => {
    const { values } = column;
    for (let row = from; row < to; row++) {
      const value: number = values[row];
      if (value - value !== 0) {
        continue;
      }
      // A double that is the nearest to n / factor, with n of at most 15 digits, shows exactly that decimal.
      const scaled = Math.round(value * factor);
      const plain = Math.abs(scaled) < plainMax && unscaled < plainMax;
      const holds = plain ? scaled / factor === value && scaled % unscaled === 0 : isMultipleOf(value, divisor);
      mask[row] = mask[row]! | (holds ? 0 : 1);
    }
  };
}

export function smallIntegerMultipleOf(divisor: number): Kernel {
  return (column, from, to, mask) => {
    const { values } = column;
    for (let row = from; row < to; row++) {
      const value: number = values[row];
      mask[row] = mask[row]! | (value % divisor === 0 ? 0 : 1);
    }
  };
}

/** `step` is the least positive stored integer that is a multiple. */
export function storedMultipleOf(step: bigint, stored: (column: Data, row: number) => bigint): Kernel {
  return (column, from, to, mask) => {
    for (let row = from; row < to; row++) {
      mask[row] = mask[row]! | (stored(column, row) % step === 0n ? 0 : 1);
    }
  };
}

/** Which of the two values may stand in a bit-packed column. */
export function booleans(allowsTrue: boolean, allowsFalse: boolean): Kernel {
  const [failTrue, failFalse] = [allowsTrue ? 0 : 1, allowsFalse ? 0 : 1];
  return (column, from, to, mask) => {
    const { values, offset } = column;
    for (let row = from; row < to; row++) {
      const bit = offset + row;
      mask[row] = mask[row]! | (((values[bit >> 3] >> (bit & 7)) & 1) === 1 ? failTrue : failFalse);
    }
  };
}
