/** Dates and times: the plain forms of ISO 8601 from their digits, and a definition's own formats rewritten to them. */
import type { Int64Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { AppendPlain } from './cells.ts';

const ZERO = 0x30;
const DASH = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const BLANK = 0x20;
const T = 0x54;
const DATE_BYTES = 10;
const SECOND_BYTES = 19;
const FRACTION_DIGITS = 6;
const DAY_SECONDS = 86_400;
const MICROSECONDS = 1_000_000;
const TWO_32 = 4_294_967_296;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `2024-02-29` */
export function appendDate(builder: NumberBuilder): AppendPlain {
  return (bytes, start, length) => {
    const days = length === DATE_BYTES ? daysAt(bytes, start) : Number.NaN;
    if (Number.isNaN(days)) return false;
    builder.append(days);
    return true;
  };
}

/** `2024-02-29 12:30:00.123456`, with a T as well; the fraction of one to six digits may be missing. */
export function appendTimestamp(builder: Int64Builder): AppendPlain {
  return (bytes, start, length) => {
    if (length < SECOND_BYTES || length > SECOND_BYTES + 1 + FRACTION_DIGITS) return false;
    const between = bytes[start + DATE_BYTES];
    if (between !== BLANK && between !== T) return false;
    const seconds = daysAt(bytes, start) * DAY_SECONDS + secondsAt(bytes, start + DATE_BYTES + 1);
    const fraction = fractionAt(bytes, start + SECOND_BYTES, length - SECOND_BYTES);
    if (Number.isNaN(seconds) || Number.isNaN(fraction)) return false;
    // Microseconds of far years need more bits than a double has: the halves are made of the seconds.
    const low = (((seconds % TWO_32) + TWO_32) % TWO_32) * MICROSECONDS + fraction;
    const high = Math.floor(seconds / TWO_32) * MICROSECONDS + Math.floor(low / TWO_32);
    builder.append(high, low % TWO_32);
    return true;
  };
}

/** NaN where there are no two digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [bytes[at]! - ZERO, bytes[at + 1]! - ZERO];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days since 1970; NaN where it is no day of the years 1 to 9999. */
function daysAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return Number.NaN;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  if (day > monthDays[month - 1]! + leap) return Number.NaN;
  return daysFromCivil(year, month, day);
}

/** Proleptic Gregorian, years counted from March so that the leap day is the last one (H. Hinnant, "chrono"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** `12:30:00`; NaN for anything else, 24:00:00 and leap seconds among it. */
function secondsAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return Number.NaN;
  const [hours, minutes, seconds] = [twoDigits(bytes, at), twoDigits(bytes, at + 3), twoDigits(bytes, at + 6)];
  return hours < 24 && minutes < 60 && seconds < 60 ? (hours * 60 + minutes) * 60 + seconds : Number.NaN;
}

/** Microseconds of `.123`; NaN where it is none. */
function fractionAt(bytes: Uint8Array, at: number, length: number): number {
  if (length === 0) return 0;
  if (bytes[at] !== POINT || length === 1) return Number.NaN;
  let value = 0;
  for (let i = 1; i <= FRACTION_DIGITS; i++) {
    const digit = i < length ? bytes[at + i]! - ZERO : 0;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const TOKENS = /YYYY|MM?|DD?|HH?|mm|ss|S{1,6}/g;
const patterns: Record<string, string> = {
  YYYY: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  DD: '(?<day>\\d{2})',
  D: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
};

/** Throws CONFIG_INVALID for a format with no or a repeated token. */
export function compileFormat(format: string): RegExp {
  let tokens = 0;
  const escaped = format.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const source = escaped.replace(TOKENS, (token) => {
    tokens++;
    return patterns[token] ?? `(?<fraction>\\d{${token.length}})`;
  });
  try {
    if (tokens > 0) return new RegExp(`^${source}$`);
  } catch {
    // A group of the same name twice: told below.
  }
  throw new HuitongError('CONFIG_INVALID', `${JSON.stringify(format)} is no format of dates`, {
    hint: 'Use each of YYYY, M or MM, D or DD, H or HH, mm, ss, S to SSSSSS at most once.',
  });
}

/** To ISO 8601 where a format fits; else the text as it is. A date alone in a column of times is its midnight. */
export function rewriterOf(codec: string, formats: string[]): (text: string) => string {
  const compiled = formats.map(compileFormat);
  return (text) => {
    for (const pattern of compiled) {
      const parts = pattern.exec(text)?.groups;
      if (parts === undefined) continue;
      const two = (part: string | undefined) => (part ?? '00').padStart(2, '0');
      const date = `${parts.year ?? ''}-${two(parts.month)}-${two(parts.day)}`;
      const fraction = parts.fraction === undefined ? '' : `.${parts.fraction}`;
      const time = `${two(parts.hour)}:${two(parts.minute)}:${two(parts.second)}${fraction}`;
      if (codec === 'date') return parts.hour === undefined ? date : text;
      if (codec === 'time') return time;
      return codec === 'timestamptz' ? text : `${date} ${time}`;
    }
    return text;
  };
}
