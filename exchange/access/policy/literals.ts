/** A policy's literals, read as the column's type has them. A literal of another type is refused, never converted. */
import { type Data, DataType, type Field, Precision } from 'apache-arrow';
import { boolOrder, bytesOrder, type CellComparer, numberOrder, wideOrder } from '../../../columnar/order.ts';
import { ticksOf, ticksPerSecond } from '../../../contracts/format-limits.ts';
import { fractionDigits, isUuid } from '../../../contracts/image.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { Literal } from '../../../schemas/generated/grant-terms.ts';

/** A literal bound to a column's type: `order` compares the cells of one batch's column with it. */
export interface BoundLiteral {
  order(data: Data): CellComparer;
  /** Against another literal of the same column. */
  compare(other: BoundLiteral): number;
  /** Sorts literals of one column. */
  readonly key: Key;
}

/** A number, a whole number of the column's smallest unit (perhaps halved, see `wide`), or bytes. */
type Key = number | bigint | Uint8Array;

export function policyInvalid(message: string, pointer: string): HuitongError {
  return new HuitongError('POLICY_INVALID', message, { pointer });
}

/** Whether `<` means anything for the column; else only equality does. */
export function isOrdered(field: Field): boolean {
  return !DataType.isBool(field.type) && !isUuid(field);
}

/** @throws POLICY_INVALID for a literal of another type, and for a column that has no literals */
export function bindLiteral(field: Field, value: Literal, pointer: string): BoundLiteral {
  const { type } = field;
  const refuse = (wanted: string) => policyInvalid(`this column is compared with ${wanted}`, pointer);
  if (DataType.isBool(type)) {
    if (typeof value !== 'boolean') throw refuse('true or false');
    return literal(Number(value), (data) => boolOrder(data, value));
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    if (typeof value !== 'string') throw refuse('text');
    const bytes = Buffer.from(value);
    return literal(bytes, (data) => bytesOrder(data, bytes));
  }
  if (DataType.isFloat(type) && type.precision !== Precision.HALF) {
    if (typeof value !== 'number') throw refuse('a number');
    return literal(value, (data) => numberOrder(data, value));
  }
  if (DataType.isInt(type)) return integerLiteral(value, type.bitWidth, type.isSigned, refuse);
  if (DataType.isDecimal(type) && type.bitWidth === 128) {
    return wide(unitsOf(value, type.scale) ?? fail(refuse('a number, or its decimal text')), 4, true);
  }
  if (DataType.isDate(type) || DataType.isTimestamp(type)) return timeLiteral(field, value, refuse);
  if (isUuid(field)) {
    if (typeof value !== 'string' || !UUID.test(value)) throw refuse('a UUID');
    const bytes = Buffer.from(value.replaceAll('-', ''), 'hex');
    return literal(bytes, (data) => bytesOrder(data, bytes));
  }
  throw policyInvalid(`columns of the type ${type} are not compared`, pointer);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DECIMAL = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const LOCAL_DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function literal(key: Key, order: BoundLiteral['order']): BoundLiteral {
  return { key, order, compare: (other) => compareKeys(key, other.key) };
}

function compareKeys(a: Key, b: Key): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A number as a whole number of halves of the column's unit: an odd one lies between two cells. */
interface Halves {
  halves: bigint;
}

/**
 * Cells of 64 or 128 bits are whole units. A literal that is finer lies between two of them: it is compared as the unit
 * below, and no cell is equal to it. A literal beyond what the bits hold is beyond every cell.
 */
function wide({ halves }: Halves, words: 2 | 4, signed: boolean): BoundLiteral {
  const between = (halves & 1n) === 1n;
  const units = halves >> 1n;
  const bits = BigInt(words * 32);
  const [least, greatest] = signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  return literal(halves, (data) => {
    if (units < least) return () => 1;
    if (units > greatest) return () => -1;
    const compare = wideOrder(data, words, signed, units);
    return between ? (row) => (compare(row) <= 0 ? -1 : 1) : compare;
  });
}

/** Undefined where the value is no decimal. */
function unitsOf(value: Literal, scale: number): Halves | undefined {
  const text = typeof value === 'number' ? plainDecimal(value) : value;
  const parts = typeof text === 'string' ? DECIMAL.exec(text) : null;
  if (parts === null) return undefined;
  const [, sign, whole, fraction = ''] = parts;
  const digits = Math.max(scale, fraction.length);
  const unscaled = BigInt(`${whole}${fraction.padEnd(digits, '0')}`) * (sign === '-' ? -1n : 1n);
  return halvesOf(unscaled, 10n ** BigInt(digits - scale));
}

/** `amount / divisor` units; an odd number of halves where that is not a whole number, rounded down. */
function halvesOf(amount: bigint, divisor: bigint): Halves {
  const remainder = ((amount % divisor) + divisor) % divisor;
  return { halves: ((amount - remainder) / divisor) * 2n + (remainder === 0n ? 0n : 1n) };
}

/** The number's shortest text, without an exponent. */
function plainDecimal(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const digits = Number(text.split('e')[1]);
  return digits < 0 ? value.toFixed(Math.min(100, 20 - digits)).replace(/\.?0+$/, '') : BigInt(value).toString();
}

function integerLiteral(
  value: Literal,
  bitWidth: number,
  signed: boolean,
  refuse: (wanted: string) => HuitongError,
): BoundLiteral {
  if (bitWidth === 64) {
    return wide(unitsOf(value, 0) ?? fail(refuse('a whole number, or its text')), 2, signed);
  }
  if (typeof value !== 'number') throw refuse('a number');
  return literal(value, (data) => numberOrder(data, value));
}

function timeLiteral({ type }: Field, value: Literal, refuse: (wanted: string) => HuitongError): BoundLiteral {
  if (DataType.isDate(type)) {
    const ticks = typeof value === 'string' && DATE.test(value) ? ticksOf(value) : null;
    if (ticks === null || type.ArrayType !== Int32Array) throw refuse('a date, YYYY-MM-DD');
    const days = Number(ticks / (86_400n * ticksPerSecond));
    return literal(days, (data) => numberOrder(data, days));
  }
  if (!DataType.isTimestamp(type)) throw refuse('nothing');
  const [form, wanted] = type.timezone
    ? [DATE_TIME, 'an RFC 3339 time with its offset']
    : [LOCAL_DATE_TIME, 'a time without an offset, YYYY-MM-DDTHH:MM:SS'];
  const ticks = typeof value === 'string' && form.test(value) ? ticksOf(value) : null;
  if (ticks === null) throw refuse(wanted);
  return wide(halvesOf(ticks, ticksPerSecond / 10n ** BigInt(fractionDigits(type.unit))), 2, true);
}

function fail(error: HuitongError): never {
  throw error;
}
