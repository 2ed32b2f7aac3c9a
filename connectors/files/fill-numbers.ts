/** Numbers from their digits: the plain forms, in doubles that are exact up to 15 digits. */
import type { Decimal128Builder, Int64Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import type { AppendPlain } from './cells.ts';

/** Below this many digits every step is exact in a double. */
const EXACT_DIGITS = 15;
/** Powers of ten up to here are exact in a double, so that a quotient of two exact numbers is rounded once. */
const EXACT_POWER = 22;
const TWO_32 = 4_294_967_296;
const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const powers = Float64Array.from({ length: EXACT_POWER + 1 }, (_, i) => Number(`1e${i}`));

export function appendSmallInt(builder: NumberBuilder, max: number): AppendPlain {
  return (bytes, start, length) => {
    const value = wholeNumber(bytes, start, length);
    if (!(value <= max && value >= -max - 1)) return false;
    builder.append(value);
    return true;
  };
}

export function appendInt64(builder: Int64Builder): AppendPlain {
  return (bytes, start, length) => {
    const value = wholeNumber(bytes, start, length);
    if (Number.isNaN(value)) return false;
    const high = Math.floor(value / TWO_32);
    builder.append(high, value - high * TWO_32);
    return true;
  };
}

/** NaN where the text is no whole number, or one of more than 15 digits. */
function wholeNumber(bytes: Uint8Array, start: number, length: number): number {
  const negative = bytes[start] === MINUS;
  const from = negative ? start + 1 : start;
  const end = start + length;
  if (end === from || end - from > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** What `scanDecimal` found; one object, filled anew for each cell. */
const scanned = { value: 0, fraction: 0 };

/** Digits with at most one point among them: `value` without the point, `fraction` digits behind it. */
function scanDecimal(bytes: Uint8Array, start: number, length: number): boolean {
  const negative = bytes[start] === MINUS;
  const from = negative ? start + 1 : start;
  const end = start + length;
  if (end === from || end - from > EXACT_DIGITS + 1) return false;
  let value = 0;
  let point = -1;
  for (let at = from; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (bytes[at] === POINT && point < 0) point = at;
    else return false;
  }
  const digits = end - from - (point < 0 ? 0 : 1);
  if (digits === 0 || digits > EXACT_DIGITS) return false;
  scanned.value = negative ? -value : value;
  scanned.fraction = point < 0 ? 0 : end - point - 1;
  return true;
}

export function appendDecimal(builder: Decimal128Builder, precision: number, scale: number): AppendPlain {
  const bound = precision <= EXACT_DIGITS ? 10 ** precision : 10 ** EXACT_DIGITS;
  return (bytes, start, length) => {
    if (!scanDecimal(bytes, start, length) || scanned.fraction > scale) return false;
    if (scale - scanned.fraction > EXACT_DIGITS) return false;
    const unscaled = scanned.value * powers[scale - scanned.fraction]!;
    if (!(unscaled < bound && unscaled > -bound)) return false;
    const high = Math.floor(unscaled / TWO_32);
    builder.appendInt64(high, unscaled - high * TWO_32);
    return true;
  };
}

export function appendFloat(builder: NumberBuilder): AppendPlain {
  return (bytes, start, length) => {
    if (!scanDecimal(bytes, start, length)) return appendLongFloat(builder, bytes, start, length);
    // -0 is another number than 0, and 0 / 10 is not -0.
    if (scanned.value === 0 && bytes[start] === MINUS) return false;
    builder.append(scanned.value / powers[scanned.fraction]!);
    return true;
  };
}

/** No double needs more digits than these, and no text of so few overflows. */
const LONG_BYTES_MAX = 40;

/** More digits than are exact: the engine's own rounding, where the text has digits and one point and nothing else. */
function appendLongFloat(builder: NumberBuilder, bytes: Uint8Array, start: number, length: number): boolean {
  if (length > LONG_BYTES_MAX || length <= EXACT_DIGITS) return false;
  let points = 0;
  for (let at = bytes[start] === MINUS ? start + 1 : start; at < start + length; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) continue;
    if (bytes[at] !== POINT || points++ > 0) return false;
  }
  builder.append(Number(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1')));
  return true;
}
