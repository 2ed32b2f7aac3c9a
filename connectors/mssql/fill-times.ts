/**
 * Loops that fill columns of dates and times ([MS-TDS] 2.2.5.5.1.8, 2.2.5.5.1.9). Every one that SQL Server has, from
 * 0001-01-01 to 9999-12-31, fits into microseconds since 1970.
 */
import type { Int64Builder, NumberBuilder, StructBuilder } from '../../columnar/builders/index.ts';
import { type Fill, fillEach, type Lead } from './fill-numbers.ts';
import type { Window } from './window.ts';

const DAYS_1_TO_1970 = 719_162;
const DAYS_1900_TO_1970 = 25_567;
const TWO_32 = 4_294_967_296;
/** A day in microseconds as `HIGH × 2^26 + LOW`, so that no product exceeds what a double holds exactly. */
const TWO_26 = 67_108_864;
const DAY_HIGH = Math.floor(86_400_000_000 / TWO_26);
const DAY_LOW = 86_400_000_000 % TWO_26;

/** Bytes of a time of day: its scale decides. */
export function timeBytes(scale: number): number {
  return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}

function readTicks({ bytes, view }: Window, at: number, size: number): number {
  if (size === 3) return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  const low = view.getUint32(at, true);
  return size === 4 ? low : low + (bytes[at + 4] as number) * TWO_32;
}

/** Days since 1970. */
function readDays({ bytes }: Window, at: number): number {
  const days = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return days - DAYS_1_TO_1970;
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

function appendTimestamp(builder: Int64Builder, days: number, microseconds: number): void {
  builder.reserve(1);
  storeTimestamp(builder.words, builder.length * 2, days, microseconds);
  builder.advance(1);
}

export function fillDates(builder: NumberBuilder): Fill {
  return fillEach(builder, 1, (window, at) => builder.append(readDays(window, at)));
}

/** time(n) into nanoseconds, which hold all of its seven digits. */
export function fillTimes(builder: Int64Builder, scale: number): Fill {
  const size = timeBytes(scale);
  const factor = 10 ** (9 - scale);
  return fillEach(builder, 1, (window, at) => {
    const nanoseconds = readTicks(window, at, size) * factor;
    builder.append(Math.floor(nanoseconds / TWO_32), nanoseconds % TWO_32);
  });
}

/** datetime2(n) into microseconds; the seventh digit goes to a column of its own, see `fillHundreds`. */
export function fillTimestamps(builder: Int64Builder, scale: number): Fill {
  const size = timeBytes(scale);
  const factor = 10 ** (6 - scale);
  return ({ window, offsets, columns, rows }, column) => {
    const { bytes } = window;
    builder.reserve(rows);
    const { words, length } = builder;
    let to = length * 2;
    for (let row = 0, i = column; row < rows; row++, i += columns, to += 2) {
      const at = offsets[i] as number;
      if (bytes[at] === 0) {
        words[to] = 0;
        words[to + 1] = 0;
        builder.setNull(length + row);
        continue;
      }
      const ticks = readTicks(window, at + 1, size);
      const microseconds = scale === 7 ? Math.floor(ticks / 10) : ticks * factor;
      storeTimestamp(words, to, readDays(window, at + 1 + size), microseconds);
    }
    builder.advance(rows);
  };
}

/** The seventh digit of datetime2(7) and datetimeoffset(7): hundreds of nanoseconds, 0 to 9. */
export function fillHundreds(builder: NumberBuilder): Fill {
  const size = timeBytes(7);
  return fillEach(builder, 1, (window, at) => builder.append(readTicks(window, at, size) % 10));
}

/** datetimeoffset(n): the time in UTC, and minutes that the source's zone is ahead of it. */
export function fillOffsetTimestamps(builder: StructBuilder, scale: number): Fill {
  const size = timeBytes(scale);
  const factor = 10 ** (6 - scale);
  const timestamps = builder.children[0] as Int64Builder;
  const offsets = builder.children[1] as NumberBuilder;
  return fillEach(builder, 1, (window, at) => {
    const ticks = readTicks(window, at, size);
    const microseconds = scale === 7 ? Math.floor(ticks / 10) : ticks * factor;
    appendTimestamp(timestamps, readDays(window, at + size), microseconds);
    offsets.append(window.view.getInt16(at + size + 3, true));
    builder.appendStruct();
  });
}

/** datetime: days since 1900 and ticks of 1/300 s, shown by SQL Server rounded to milliseconds. */
export function fillDatetimes(builder: Int64Builder, lead: Lead): Fill {
  return fillEach(builder, lead, ({ view }, at) => {
    const milliseconds = Math.round((view.getUint32(at + 4, true) * 10) / 3);
    appendTimestamp(builder, view.getInt32(at, true) - DAYS_1900_TO_1970, milliseconds * 1000);
  });
}

/** smalldatetime: days since 1900 and minutes. */
export function fillSmallDatetimes(builder: Int64Builder, lead: Lead): Fill {
  return fillEach(builder, lead, ({ view }, at) => {
    const days = view.getUint16(at, true) - DAYS_1900_TO_1970;
    appendTimestamp(builder, days, view.getUint16(at + 2, true) * 60_000_000);
  });
}
