/** Which kernel decides which keyword on which Arrow type. One small builder a type family, and one switch. */
import { type Data, type Decimal, type Field, type Int, type Time, type Timestamp, Type } from 'apache-arrow';
import type { Kernel } from './check.ts';
import { failAll } from './check.ts';
import { daysFromCivil } from './civil.ts';
import { greatestUnscaled, leastUnscaled, toExact } from './exact.ts';
import { ticksOf, ticksPerSecond } from './format-limits.ts';
import { formats } from './formats/index.ts';
import { type CellImage, fractionDigits, type ImageValue, isUuid, unscaledAt } from './image.ts';
import { hasFormat, lengthRange, matches, oneOfTexts } from './kernels/bytes.ts';
import {
  booleans,
  decimalRange,
  type FloatBounds,
  floatFinite,
  floatIntegral,
  floatMultipleOf,
  floatRange,
  type Interval,
  int64Range,
  smallIntegerMultipleOf,
  smallIntegerRange,
  storedMultipleOf,
  uint64Range,
} from './kernels/numbers.ts';
import { compilePattern } from './regex/pattern.ts';

export interface Column {
  index: number;
  field: Field;
  image: CellImage;
  /** Pointer of its cells in the row's image. */
  pointer: string;
}

/** What decides a keyword over a column's non-null cells. `pass`: no cell can fail. */
export type Decision = { kernel: Kernel } | 'pass' | 'rows';

const always: Decision = { kernel: failAll };
const far = 2n ** 200n;

/** How a column stores its numbers: as integers of some scale, or as doubles; null where its cells are no numbers. */
interface Storage {
  scale: number;
  range(interval: Interval): Kernel;
  read(column: Data, row: number): bigint;
}

function storageOf(field: Field): Storage | null {
  const read = (column: Data, row: number) => BigInt(column.values[row]);
  switch (field.type.typeId) {
    case Type.Int: {
      const type = field.type as Int;
      const range = type.bitWidth < 64 ? smallIntegerRange : type.isSigned ? int64Range : uint64Range;
      return { scale: 0, range, read };
    }
    case Type.Decimal:
      return {
        scale: (field.type as Decimal).scale,
        range: decimalRange,
        read: (column, row) => unscaledAt(column.values, row),
      };
    case Type.Date:
      return { scale: 0, range: smallIntegerRange, read };
    case Type.Timestamp:
      return { scale: fractionDigits((field.type as Timestamp).unit), range: int64Range, read };
    case Type.Time: {
      const type = field.type as Time;
      return { scale: fractionDigits(type.unit), range: type.bitWidth === 32 ? smallIntegerRange : int64Range, read };
    }
    default:
      return null;
  }
}

const isFloat = (column: Column) => column.field.type.typeId === Type.Float;
const isText = (column: Column) => column.field.type.typeId === Type.Utf8;

/** Over a cell's JSON image, one cell at a time. */
export function imageKernel(image: CellImage, passes: (value: ImageValue) => boolean): Kernel {
  return (column, from, to, mask) => {
    for (let row = from; row < to; row++) {
      if (column.getValid(row) && !passes(image.value(column, row))) {
        mask[row] = 1;
      }
    }
  };
}

export function decideType(column: Column, types: string[]): Decision {
  const numeric = types.includes('number');
  switch (column.image.jsonType) {
    case 'boolean':
    case 'string':
      return types.includes(column.image.jsonType) ? 'pass' : always;
    case 'integer':
      return numeric || types.includes('integer') ? 'pass' : always;
    case 'number':
      break;
    default:
      return 'rows';
  }
  if (isFloat(column)) {
    if (types.includes('string')) {
      return 'rows';
    }
    return numeric ? { kernel: floatFinite } : types.includes('integer') ? { kernel: floatIntegral } : always;
  }
  const storage = storageOf(column.field)!;
  const whole = { kernel: storedMultipleOf(10n ** BigInt(storage.scale), storage.read) };
  return numeric ? 'pass' : types.includes('integer') ? whole : always;
}

/** `const` (as a list of one) and `enum`. Null is the caller's business. */
export function decideMembers(column: Column, members: unknown[]): Decision {
  const texts = members.filter((member) => typeof member === 'string');
  const numbers = members.filter((member) => typeof member === 'number');
  if (isText(column)) {
    return { kernel: oneOfTexts(texts) };
  }
  if (isFloat(column)) {
    const known = new Set<unknown>([...numbers, ...texts]);
    return { kernel: imageKernel(column.image, (value) => known.has(value)) };
  }
  if (column.image.jsonType === 'boolean') {
    return { kernel: booleans(members.includes(true), members.includes(false)) };
  }
  const storage = storageOf(column.field);
  if (storage === null || column.image.jsonType === 'string') {
    const known = new Set<unknown>(texts);
    return { kernel: imageKernel(column.image, (value) => known.has(value)) };
  }
  const stored = new Set<bigint>();
  for (const member of numbers) {
    const exact = toExact(member);
    const unscaled = leastUnscaled(member, storage.scale, false);
    if (unscaled === greatestUnscaled(member, storage.scale, false) && Number.isFinite(exact.scale)) {
      stored.add(unscaled);
    }
  }
  return {
    kernel: (data, from, to, mask) => {
      for (let row = from; row < to; row++) {
        mask[row] = mask[row]! | (stored.has(storage.read(data, row)) ? 0 : 1);
      }
    },
  };
}

/** Bounds of one schema together: `minimum`, `maximum` and their exclusive forms. */
export function decideBounds(column: Column, bounds: FloatBounds): Decision {
  if (isFloat(column)) {
    return { kernel: floatRange(bounds) };
  }
  const storage = storageOf(column.field);
  if (storage === null || column.image.jsonType === 'string') {
    return 'pass';
  }
  const { scale } = storage;
  const interval = { low: -far, high: far };
  const raise = (bound: number | undefined, strict: boolean) => {
    const low = bound === undefined ? -far : leastUnscaled(bound, scale, strict);
    interval.low = low > interval.low ? low : interval.low;
  };
  const lower = (bound: number | undefined, strict: boolean) => {
    const high = bound === undefined ? far : greatestUnscaled(bound, scale, strict);
    interval.high = high < interval.high ? high : interval.high;
  };
  raise(bounds.minimum, false);
  raise(bounds.exclusiveMinimum, true);
  lower(bounds.maximum, false);
  lower(bounds.exclusiveMaximum, true);
  return { kernel: storage.range(interval) };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

export function decideMultipleOf(column: Column, divisor: number): Decision {
  if (isFloat(column)) {
    return { kernel: floatMultipleOf(divisor) };
  }
  const storage = storageOf(column.field);
  if (storage === null || column.image.jsonType === 'string') {
    return 'pass';
  }
  // n / 10^scale is a multiple of u / 10^s exactly where n is a multiple of u·10^scale / gcd(u·10^scale, 10^s).
  const { unscaled, scale } = toExact(divisor);
  const scaled = unscaled * 10n ** BigInt(storage.scale);
  const step = scaled / greatestCommonDivisor(scaled, 10n ** BigInt(scale));
  if (step === 1n) {
    return 'pass';
  }
  const small = storage.range === smallIntegerRange && step <= Number.MAX_SAFE_INTEGER;
  return { kernel: small ? smallIntegerMultipleOf(Number(step)) : storedMultipleOf(step, storage.read) };
}

export function decideLength(column: Column, min: number, max: number): Decision {
  return isText(column) ? { kernel: lengthRange(min, max) } : 'rows';
}

export function decidePattern(column: Column, pattern: string): Decision {
  return isText(column) ? { kernel: matches(compilePattern(pattern)) } : 'rows';
}

/** The format that a date, time or uuid column's own image has; null for other columns. */
export function ownFormat(field: Field): string | null {
  switch (field.type.typeId) {
    case Type.Date:
      return 'date';
    case Type.Timestamp:
      return (field.type as Timestamp).timezone ? 'date-time' : 'local-date-time';
    case Type.Time:
      return 'local-time';
    default:
      return isUuid(field) ? 'uuid' : null;
  }
}

const daysMin = daysFromCivil(0, 1, 1);
const daysMax = daysFromCivil(9999, 12, 31);

export function decideFormat(column: Column, name: string): Decision {
  const format = formats.get(name)!;
  if (isText(column)) {
    const { bytes } = format;
    return { kernel: bytes ? hasFormat(bytes) : imageKernel(column.image, (value) => format.text(String(value))) };
  }
  const own = ownFormat(column.field);
  if (own !== name) {
    return own === null ? 'rows' : always;
  }
  const storage = storageOf(column.field);
  if (storage === null) {
    return 'pass';
  }
  if (name === 'date') {
    return { kernel: storage.range({ low: BigInt(daysMin), high: BigInt(daysMax) }) };
  }
  const perDay = 86_400n * 10n ** BigInt(storage.scale);
  const interval =
    name === 'local-time'
      ? { low: 0n, high: perDay - 1n }
      : { low: BigInt(daysMin) * perDay, high: BigInt(daysMax + 1) * perDay - 1n };
  return { kernel: storage.range(interval) };
}

export function decideFormatLimit(column: Column, keyword: string, limit: string, format: string): Decision {
  const storage = ownFormat(column.field) === format ? storageOf(column.field) : null;
  const ticks = ticksOf(limit);
  if (storage === null || ticks === null) {
    return 'rows';
  }
  const unit = format === 'date' ? 86_400n * ticksPerSecond : ticksPerSecond / 10n ** BigInt(storage.scale);
  const floor = ticks >= 0n || ticks % unit === 0n ? ticks / unit : ticks / unit - 1n;
  const between = ticks % unit !== 0n;
  switch (keyword) {
    case 'formatMinimum':
      return { kernel: storage.range({ low: between ? floor + 1n : floor, high: far }) };
    case 'formatExclusiveMinimum':
      return { kernel: storage.range({ low: floor + 1n, high: far }) };
    case 'formatMaximum':
      return { kernel: storage.range({ low: -far, high: floor }) };
    default:
      return { kernel: storage.range({ low: -far, high: between ? floor : floor - 1n }) };
  }
}
