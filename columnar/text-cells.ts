/**
 * Cells from their text, for sources that send text: exact or not at all. Forms are those of ISO 8601 and of SQL;
 * nothing is rounded, cut off or guessed.
 */
import { type DataType, DataType as Types } from 'apache-arrow';
import type { UnrepresentableCell } from './batch.ts';
import type {
  BoolBuilder,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  FixedSizeBinaryBuilder,
  Int64Builder,
  NumberBuilder,
} from './builders/index.ts';
import { base10000, parseDecimal, wholeNumber } from './decimal-text.ts';

export type CellProblem = UnrepresentableCell['code'];

/** Appends one cell. Where the type cannot hold it: appends null and says why. */
export type AppendText = (text: string) => CellProblem | undefined;

type Take = (text: string) => CellProblem | undefined;

const DAY_MS = 86_400_000;
const DAY_US = 86_400_000_000;
const DATE = /^([+-]?\d{4,6})-(\d{2})-(\d{2})$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?$/;
const INSTANT = /^([+-]?\d{4,6}-\d{2}-\d{2})[T ]([\d:.,]+?) ?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;
const UUID = /^[\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12}$/i;
const encoder = new TextEncoder();

/** The builder is the one that `builderFor` gives for the type. Binary cells are base64 (RFC 4648, section 4). */
export function textAppender(type: DataType, builder: ColumnBuilder): AppendText {
  const take = takerOf(type, builder);
  return (text) => {
    const problem = take(text);
    if (problem !== undefined) builder.appendNull();
    return problem;
  };
}

function takerOf(type: DataType, builder: ColumnBuilder): Take {
  if (Types.isBool(type)) return takeBool(builder as BoolBuilder);
  if (Types.isInt(type)) return takeInteger(builder, type.bitWidth, type.isSigned);
  if (Types.isFloat(type)) return takeFloat(builder as NumberBuilder);
  if (Types.isDecimal(type)) return takeDecimal(builder as Decimal128Builder);
  if (Types.isDate(type)) return takeDate(builder as NumberBuilder);
  if (Types.isTimestamp(type)) return takeInstant(builder as Int64Builder, type.timezone != null);
  if (Types.isTime(type)) return takeTime(builder as Int64Builder);
  if (Types.isFixedSizeBinary(type)) return takeUuid(builder as FixedSizeBinaryBuilder);
  if (Types.isBinary(type)) return takeBase64(builder as BytesBuilder);
  return takeText(builder as BytesBuilder);
}

function takeText(builder: BytesBuilder): Take {
  return (text) => {
    // A surrogate without its other half has no UTF-8; an encoder would put another character in its place.
    if (/\p{Surrogate}/u.test(text)) return 'INVALID_TEXT';
    builder.reserveBytes(text.length * 3);
    builder.dataLength += encoder.encodeInto(text, builder.data.subarray(builder.dataLength)).written;
    builder.endCell();
    return undefined;
  };
}

function takeBase64(builder: BytesBuilder): Take {
  return (text) => {
    if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text)) return 'INVALID_TEXT';
    appendBytes(builder, Buffer.from(text, 'base64'));
    return undefined;
  };
}

/** Appends a cell of bytes. */
export function appendBytes(builder: BytesBuilder, bytes: Uint8Array): void {
  builder.reserveBytes(bytes.length);
  builder.data.set(bytes, builder.dataLength);
  builder.dataLength += bytes.length;
  builder.endCell();
}

function takeBool(builder: BoolBuilder): Take {
  return (text) => {
    if (text !== 'true' && text !== 'false') return 'INVALID_TEXT';
    builder.append(text === 'true');
    return undefined;
  };
}

function takeInteger(builder: ColumnBuilder, bits: number, signed: boolean): Take {
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  return (text) => {
    const decimal = parseDecimal(text);
    if (decimal === undefined) return notFinite(text);
    const value = wholeNumber(decimal);
    if (value === undefined || value < min || value > max) return 'OUT_OF_RANGE';
    if (bits === 64) appendBigInt(builder as Int64Builder, value);
    else (builder as NumberBuilder).append(Number(value));
    return undefined;
  };
}

function appendBigInt(builder: Int64Builder, value: bigint): void {
  builder.append(Number(value >> 32n), Number(value & 0xffffffffn));
}

/** The nearest double, which is what a floating-point column means; beyond its range is not infinity. */
function takeFloat(builder: NumberBuilder): Take {
  const single = builder.values instanceof Float32Array;
  return (text) => {
    if (parseDecimal(text) === undefined) {
      const special = /^[+-]?(?:NaN|Infinity)$/.test(text);
      if (special) builder.append(Number(text.replace('+', '')));
      return special ? undefined : 'INVALID_TEXT';
    }
    const value = Number(text);
    if (!Number.isFinite(single ? Math.fround(value) : value)) return 'OUT_OF_RANGE';
    builder.append(value);
    return undefined;
  };
}

function takeDecimal(builder: Decimal128Builder): Take {
  return (text) => {
    const decimal = parseDecimal(text);
    if (decimal === undefined) return notFinite(text);
    const value = base10000(decimal);
    if (value === undefined) return 'OUT_OF_RANGE';
    const { groups, weight } = value;
    return builder.appendBase10000(groups, groups.length, weight, decimal.negative) ? undefined : 'OUT_OF_RANGE';
  };
}

function notFinite(text: string): CellProblem {
  if (/^[+-]?nan$/i.test(text)) return 'NOT_A_NUMBER';
  return /^[+-]?inf(inity)?$/i.test(text) ? 'INFINITE' : 'INVALID_TEXT';
}

function takeDate(builder: NumberBuilder): Take {
  return (text) => {
    const days = daysOf(text);
    if (typeof days === 'string') return days;
    builder.append(days);
    return undefined;
  };
}

/** Days since 1970; only years 1 to 9999 and days that their month has. */
function daysOf(text: string): number | CellProblem {
  const found = DATE.exec(text);
  if (found === null) return 'INVALID_TEXT';
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists && year >= 1 && year <= 9999 ? date.getTime() / DAY_MS : 'OUT_OF_RANGE';
}

function takeTime(builder: Int64Builder): Take {
  return (text) => {
    const time = microsecondsOf(text);
    if (typeof time === 'string') return time;
    builder.append(Math.floor(time / 4_294_967_296), time >>> 0);
    return undefined;
  };
}

/** Of the day. Digits below the microsecond are not cut off: a cell that has them is out of range. */
function microsecondsOf(text: string): number | CellProblem {
  const found = TIME.exec(text);
  if (found === null) return 'INVALID_TEXT';
  const [, hours, minutes, seconds = '0', fraction = ''] = found;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return 'OUT_OF_RANGE';
  if (/[1-9]/.test(fraction.slice(6))) return 'OUT_OF_RANGE';
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** A time with a zone becomes UTC, one without must not have one: neither is guessed. */
function takeInstant(builder: Int64Builder, zoned: boolean): Take {
  return (text) => {
    const found = INSTANT.exec(text);
    if (found === null) return 'INVALID_TEXT';
    const [, date = '', time = '', zone] = found;
    if (zoned !== (zone !== undefined)) return 'INVALID_TEXT';
    const days = daysOf(date);
    if (typeof days === 'string') return days;
    const ofDay = microsecondsOf(time);
    if (typeof ofDay === 'string') return ofDay;
    const offset = offsetMinutes(zone ?? 'Z');
    if (offset === undefined) return 'OUT_OF_RANGE';
    // Microseconds of the year 9999 need 58 bits.
    appendBigInt(builder, BigInt(days) * BigInt(DAY_US) + BigInt(ofDay - offset * 60_000_000));
    return undefined;
  };
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

function takeUuid(builder: FixedSizeBinaryBuilder): Take {
  return (text) => {
    if (!UUID.test(text)) return 'INVALID_TEXT';
    const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
    builder.append({ bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }, 0);
    return undefined;
  };
}
