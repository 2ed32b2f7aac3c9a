/** Loops that fill columns of dates and times. Arrow's are counted from 1970; years 1 to 9999 are representable. */
import type { Int64Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import { type Fill, LENGTH_BYTES, NULL_LENGTH, type Report } from './cells.ts';

const DAYS_TO_2000 = 10_957;
const DATE_MIN = -719_162;
const DATE_MAX = 2_932_896;
const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;
const UINT32_MAX = 4_294_967_295;

/** date_send: days since 2000-01-01; the extremes stand for infinity. */
export function fillDates(builder: NumberBuilder, report: Report): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { length } = builder;
    const values = builder.values as Int32Array;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      const value = isNull ? 0 : view.getInt32(at + LENGTH_BYTES);
      const days = value + DAYS_TO_2000;
      const isDate = !isNull && days >= DATE_MIN && days <= DATE_MAX;
      values[length + i] = isDate ? days : 0;
      if (isDate) continue;
      builder.setNull(length + i);
      if (!isNull) report(length + i, value === INT32_MAX || value === INT32_MIN ? 'INFINITE' : 'OUT_OF_RANGE');
    }
    builder.advance(count);
  };
}

/** time_send: microseconds since midnight. 24:00:00 is legal there, and not in Arrow. */
export function fillTimes(builder: Int64Builder, report: Report): Fill {
  const [dayHigh, dayLow] = halves(86_400_000_000n);
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      const high = isNull ? 0 : view.getInt32(at + LENGTH_BYTES);
      const low = isNull ? 0 : view.getUint32(at + LENGTH_BYTES + 4);
      const isTime = high < dayHigh || (high === dayHigh && low < dayLow);
      if (!isTime) report(builder.length, 'OUT_OF_RANGE');
      if (isNull || !isTime) builder.appendNull();
      else builder.append(high, low);
    }
  };
}

/** timestamp_send: microseconds since 2000-01-01; the extremes stand for infinity. */
export function fillTimestamps(builder: Int64Builder, report: Report): Fill {
  const [epochHigh, epochLow] = halves(946_684_800_000_000n);
  const [minHigh, minLow] = halves(-62_135_596_800_000_000n);
  const [maxHigh, maxLow] = halves(253_402_300_799_999_999n);
  /** Why the value as it was sent has no place in Arrow; undefined where it has. */
  const problemOf = (high2000: number, low2000: number, high: number, low: number) => {
    if (high2000 === INT32_MAX && low2000 === UINT32_MAX) return 'INFINITE';
    if (high2000 === INT32_MIN && low2000 === 0) return 'INFINITE';
    if (high <= minHigh && (high < minHigh || low < minLow)) return 'OUT_OF_RANGE';
    if (high >= maxHigh && (high > maxHigh || low > maxLow)) return 'OUT_OF_RANGE';
    return undefined;
  };
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { words, length } = builder;
    let to = 2 * length;
    for (let i = 0; i < count; i++, to += 2) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      const high2000 = isNull ? 0 : view.getInt32(at + LENGTH_BYTES);
      const low2000 = isNull ? 0 : view.getUint32(at + LENGTH_BYTES + 4);
      const sum = low2000 + epochLow;
      const low = sum >>> 0;
      const high = high2000 + epochHigh + (sum > UINT32_MAX ? 1 : 0);
      const isInside = high > minHigh && high < maxHigh;
      const problem = isInside ? undefined : problemOf(high2000, low2000, high, low);
      if (problem !== undefined) report(length + i, problem);
      if (isNull || problem !== undefined) {
        words[to] = 0;
        words[to + 1] = 0;
        builder.setNull(length + i);
        continue;
      }
      words[to] = low;
      words[to + 1] = high;
    }
    builder.advance(count);
  };
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(value >> 32n), Number(value & 0xffffffffn)];
}
