/**
 * Loops that fill columns of dates and times ("Binary Protocol Value": a count, year, month, day; hour, minute, second;
 * microseconds, each part left out where it and all behind it are zero).
 */
import type { Int64Builder, NumberBuilder } from '../../columnar/builders/index.ts';
import { type Fill, fillEach, type Report } from './fill-each.ts';
import type { Window } from './window.ts';

const YEARS = 10_000;
/** Days from 1970-01-01 to the first day of each year from 0 on, of the Gregorian calendar prolonged. */
const yearDays = new Int32Array(YEARS);
for (let year = 0, days = -719_528; year < YEARS; year++) {
  yearDays[year] = days;
  days += isLeap(year) ? 366 : 365;
}
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Days of a common year in front of each month from 1 on. */
const monthDays = [0, ...monthLengths.map((_, i) => monthLengths.slice(0, i).reduce((sum, days) => sum + days, 0))];

/** A day in microseconds as `HIGH × 2^26 + LOW`, so that no product exceeds what a double holds exactly. */
const TWO_26 = 67_108_864;
const DAY_HIGH = Math.floor(86_400_000_000 / TWO_26);
const DAY_LOW = 86_400_000_000 % TWO_26;

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days since 1970 of the date at `at`, which is counted; NaN where the calendar does not have it (0000-00-00). */
function daysAt({ bytes }: Window, at: number): number {
  if (bytes[at] === 0) return Number.NaN;
  const year = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
  const month = bytes[at + 3] as number;
  const day = bytes[at + 4] as number;
  if (year >= YEARS || month < 1 || month > 12 || day < 1) return Number.NaN;
  const leapDay = month > 1 && isLeap(year) ? 1 : 0;
  if (day > (monthLengths[month - 1] as number) + (month === 2 ? leapDay : 0)) return Number.NaN;
  return (yearDays[year] as number) + (monthDays[month] as number) + day - 1 + (month > 2 ? leapDay : 0);
}

export function fillDates(builder: NumberBuilder, report: Report): Fill {
  return fillEach(builder, (window, at) => {
    const days = daysAt(window, at);
    if (Number.isNaN(days)) {
      builder.appendNull();
      report(builder.length - 1, 'OUT_OF_RANGE');
    } else builder.append(days);
  });
}

/** datetime and timestamp. */
export function fillTimestamps(builder: Int64Builder, report: Report): Fill {
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes, view } = window;
    builder.reserve(rows);
    const { words, length } = builder;
    let to = length * 2;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += 2) {
      const at = offsets[i] as number;
      const days = at === 0 ? Number.NaN : daysAt(window, at);
      if (Number.isNaN(days)) {
        words[to] = 0;
        words[to + 1] = 0;
        builder.setNull(length + row);
        if (at !== 0) report(length + row, 'OUT_OF_RANGE');
        continue;
      }
      const parts = bytes[at] as number;
      let microseconds = 0;
      if (parts > 4) {
        const seconds = (bytes[at + 5] as number) * 3600 + (bytes[at + 6] as number) * 60 + (bytes[at + 7] as number);
        microseconds = seconds * 1_000_000 + (parts > 7 ? view.getUint32(at + 8, true) : 0);
      }
      storeTimestamp(words, to, days, microseconds);
    }
    builder.advance(rows);
  };
}

/** `days` and `microseconds` of a day, as the two elements of a 64-bit cell. */
function storeTimestamp(words: Int32Array, to: number, days: number, microseconds: number): void {
  const low = days * DAY_LOW + microseconds;
  const carry = Math.floor(low / TWO_26);
  const high = days * DAY_HIGH + carry;
  const upper = Math.floor(high / 64);
  words[to] = low - carry * TWO_26 + (high - upper * 64) * TWO_26;
  words[to + 1] = upper;
}
