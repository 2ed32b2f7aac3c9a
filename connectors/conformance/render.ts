/** The text of an Arrow cell, exact to the last digit, in the form that SQL databases print; for comparing with theirs. */
import { DataType, Precision, TimeUnit, type Vector } from 'apache-arrow';

const DAY_MS = 86_400_000;
const UUID_BYTES = 16;

/** Null stays null; a struct is its members between bars. Floats are JavaScript's shortest form, so compare them as numbers. */
export function renderCell(vector: Vector, row: number): string | null {
  if (!vector.isValid(row)) return null;
  const { type } = vector;
  const data = vector.data[0];
  if (data === undefined) return null;
  if (DataType.isBool(type)) return vector.get(row) ? 't' : 'f';
  if (DataType.isDecimal(type)) return decimalText(data.values as Uint32Array, row, type.scale);
  if (DataType.isDate(type)) return dateText(data.values[row] as number);
  if (DataType.isTimestamp(type)) {
    return timestampText(data.values[row] as bigint) + (type.timezone === 'UTC' ? '+00' : '');
  }
  if (DataType.isTime(type)) return timeText(BigInt(data.values[row]), type.unit === TimeUnit.NANOSECOND ? 9 : 6);
  if (DataType.isBinary(type)) return bytesText(vector.get(row));
  if (DataType.isFixedSizeBinary(type)) return (type.byteWidth === UUID_BYTES ? uuidText : bytesText)(vector.get(row));
  if (DataType.isStruct(type)) {
    return type.children.map((_, i) => renderCell(vector.getChildAt(i) as Vector, row) ?? 'NULL').join('|');
  }
  if (DataType.isList(type)) return listText(vector.get(row));
  const value: unknown = vector.get(row);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Whether a rendered cell and the source's own text are the same value. */
export function isSameCell(type: DataType, rendered: string | null, source: string | null): boolean {
  if (rendered === null || source === null || !DataType.isFloat(type)) return rendered === source;
  const round = type.precision === Precision.SINGLE ? Math.fround : (value: number) => value;
  return Object.is(round(Number(rendered)), round(Number(source)));
}

function decimalText(words: Uint32Array, row: number, scale: number): string {
  let value = 0n;
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[row * 4 + i] as number);
  value = BigInt.asIntN(128, value);
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return value < 0n ? `-${text}` : text;
}

function dateText(days: number): string {
  const date = new Date(days * DAY_MS);
  return `${String(date.getUTCFullYear()).padStart(4, '0')}-${date.toISOString().slice(-19, -14)}`;
}

function timestampText(microseconds: bigint): string {
  const dayMicroseconds = BigInt(DAY_MS) * 1000n;
  const ofDay = ((microseconds % dayMicroseconds) + dayMicroseconds) % dayMicroseconds;
  return `${dateText(Number((microseconds - ofDay) / dayMicroseconds))} ${timeText(ofDay, 6)}`;
}

/** `count` of a second's `digits`th decimal place. */
function timeText(count: bigint, digits: 6 | 9): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const unit = 10n ** BigInt(digits);
  const seconds = Number(count / unit);
  const rest = count % unit;
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(digits, '0').replace(/0+$/, '')}`;
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${fraction}`;
}

function bytesText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Braces and commas; elements are quoted where SQL would quote them. */
function listText(elements: Vector): string {
  const texts = Array.from({ length: elements.length }, (_, i) => {
    const text = renderCell(elements.slice(i, i + 1), 0);
    if (text === null) return 'NULL';
    const isPlain = /^[^\s{}",\\]+$/.test(text) && text.toUpperCase() !== 'NULL';
    return isPlain ? text : `"${text.replaceAll(/(["\\])/g, '\\$1')}"`;
  });
  return `{${texts.join(',')}}`;
}
