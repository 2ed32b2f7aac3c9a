/**
 * The types that a column of an HTTP source may be declared as, and how a JSON value becomes a cell of each.
 * docs/reference/http-sources.md is held equal to `typeTable` by a test.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  FixedSizeBinary,
  Float64,
  Int64,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import { parseDecimal, wholeNumber } from '../../columnar/decimal-text.ts';
import { exactJsonText, JsonNumber, type JsonValue } from '../../columnar/exact-json.ts';
import type { TypeTable } from '../columns.ts';
import type { Cell } from '../row-batches.ts';

export const typeNames = [
  'base64',
  'boolean',
  'date',
  'decimal',
  'epoch-milliseconds',
  'epoch-seconds',
  'instant',
  'integer',
  'json',
  'number',
  'text',
  'time',
  'timestamp',
  'uuid',
] as const;
export type TypeName = (typeof typeNames)[number];

export interface HttpType {
  type: TypeName;
  /** Of a decimal. */
  precision?: number;
  scale?: number;
}

/** `any`: whatever is there, as text; only an override asks for it. */
export type HttpMapping = Omit<HttpType, 'type'> & { type: TypeName | 'any' };

/** A column whose type is not declared has none. */
export const types: TypeTable<Partial<HttpType>, HttpMapping> = {
  mappingOf: ({ type, precision, scale }) =>
    type === undefined ? undefined : type === 'decimal' ? { type, precision, scale } : { type },
  overridden: (_, natural, wish) => {
    if (wish.as === 'text') return { type: 'any' };
    const { precision, scale } = wish;
    const isNumber = natural === undefined || ['decimal', 'integer', 'number'].includes(natural.type);
    return isNumber && scale <= precision ? { type: 'decimal', precision, scale } : undefined;
  },
  arrowTypeOf,
  canBeUnrepresentable: ({ type }) => type !== 'any',
  metadataOf: ({ type }) =>
    type === 'uuid'
      ? new Map([
          ['ARROW:extension:name', 'arrow.uuid'],
          ['ARROW:extension:metadata', ''],
        ])
      : new Map(),
};

function arrowTypeOf({ type, precision = 38, scale = 0 }: HttpMapping): DataType {
  switch (type) {
    case 'any':
    case 'json':
    case 'text':
      return new Utf8();
    case 'base64':
      return new Binary();
    case 'boolean':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'decimal':
      return new Decimal(scale, precision, 128);
    case 'epoch-milliseconds':
    case 'epoch-seconds':
    case 'instant':
      return new TimestampMicrosecond('UTC');
    case 'integer':
      return new Int64();
    case 'number':
      return new Float64();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'uuid':
      return new FixedSizeBinary(16);
  }
}

const wrongType: Cell = { problem: 'INVALID_TEXT' };

/** A value that is absent is null, like one that is null. A value of another type than declared is unrepresentable. */
export function cellOf({ type }: HttpMapping, value: JsonValue | undefined): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'any':
      return typeof value === 'string' ? value : exactJsonText(value);
    case 'json':
      return exactJsonText(value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : wrongType;
    // Large numbers come in quotes from APIs that know of JavaScript's doubles: the digits are the same.
    case 'decimal':
    case 'integer':
    case 'number':
      if (value instanceof JsonNumber) return value.text;
      return typeof value === 'string' ? value : wrongType;
    case 'epoch-milliseconds':
      return value instanceof JsonNumber ? instantOf(value.text, 3) : wrongType;
    case 'epoch-seconds':
      return value instanceof JsonNumber ? instantOf(value.text, 6) : wrongType;
    case 'base64':
    case 'date':
    case 'instant':
    case 'text':
    case 'time':
    case 'timestamp':
    case 'uuid':
      return typeof value === 'string' ? value : wrongType;
  }
}

/** RFC 3339 of a number that becomes microseconds when `shift` zeros are appended. */
function instantOf(text: string, shift: number): Cell {
  const decimal = parseDecimal(text);
  const microseconds = decimal && wholeNumber({ ...decimal, point: decimal.point + shift });
  if (microseconds === undefined) return { problem: 'OUT_OF_RANGE' };
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((microseconds - fraction) / 1000n));
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return { problem: 'OUT_OF_RANGE' };
  return date.toISOString().replace('.000Z', `.${String(fraction).padStart(6, '0')}Z`);
}
