/**
 * RFC 3339, strictly: capital `T` and `Z`, an offset written `+08:00`, no leap seconds (no source type holds one).
 * `local-date-time` and `local-time` are the same without an offset, for naive times (ISO 8601).
 */
import { daysInMonth } from '../civil.ts';
import { twoDigits } from './text.ts';

const [dash, dot, colon, plus, capitalT, capitalZ] = [45, 46, 58, 43, 84, 90];

export function isDate(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 10 && dateAt(bytes, start);
}

function dateAt(bytes: Uint8Array, at: number): boolean {
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  return (
    bytes[at + 4] === dash &&
    bytes[at + 7] === dash &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    year >= 0 &&
    day <= daysInMonth(year, month)
  );
}

/** The position after a clock time (`HH:MM:SS`, perhaps a fraction), or -1 where there is none. */
function skipClock(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 8;
  const valid =
    at <= end &&
    twoDigits(bytes, start) <= 23 &&
    bytes[start + 2] === colon &&
    twoDigits(bytes, start + 3) <= 59 &&
    bytes[start + 5] === colon &&
    twoDigits(bytes, start + 6) <= 59;
  if (!valid) {
    return -1;
  }
  if (at < end && bytes[at] === dot) {
    const fraction = ++at;
    while (at < end && bytes[at]! >= 48 && bytes[at]! <= 57) {
      at++;
    }
    return at === fraction ? -1 : at;
  }
  return at;
}

function isOffset(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at === 1) {
    return bytes[at] === capitalZ;
  }
  return (
    end - at === 6 &&
    (bytes[at] === plus || bytes[at] === dash) &&
    twoDigits(bytes, at + 1) <= 23 &&
    bytes[at + 3] === colon &&
    twoDigits(bytes, at + 4) <= 59
  );
}

export function isTime(bytes: Uint8Array, start: number, end: number): boolean {
  const at = skipClock(bytes, start, end);
  return at >= 0 && isOffset(bytes, at, end);
}

export function isLocalTime(bytes: Uint8Array, start: number, end: number): boolean {
  return skipClock(bytes, start, end) === end;
}

function startsWithDate(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 19 && bytes[start + 10] === capitalT && dateAt(bytes, start);
}

export function isDateTime(bytes: Uint8Array, start: number, end: number): boolean {
  return startsWithDate(bytes, start, end) && isTime(bytes, start + 11, end);
}

export function isLocalDateTime(bytes: Uint8Array, start: number, end: number): boolean {
  return startsWithDate(bytes, start, end) && isLocalTime(bytes, start + 11, end);
}
