/**
 * The types of Oracle and Dameng, which share names and meanings. Numbers and times come as the server's own exact text:
 * the drivers' own forms are a double, which loses digits, and a Date, which loses everything below the millisecond.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int64,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { TypeTable } from './columns.ts';
import type { Cell } from './row-batches.ts';

/** As ALL_TAB_COLUMNS tells it; the name without its digits in parentheses: `TIMESTAMP(6) WITH TIME ZONE` is without (6). */
export interface OraType {
  name: string;
  precision?: number;
  scale?: number;
}

export type OraForm =
  | 'binary'
  | 'bit'
  | 'date'
  | 'datetime'
  | 'decimal'
  | 'double'
  | 'float'
  | 'instant'
  | 'int64'
  | 'json'
  | 'shown'
  | 'text'
  | 'time'
  | 'xml';

/** Plain data, kept in a plan. `shown`: the server's TO_CHAR of it. */
export interface OraMapping {
  form: OraForm;
  precision?: number;
  scale?: number;
}

const DECIMAL_DIGITS_MAX = 38;
const INT64_DIGITS = 18;

/** Both kinds' tables, by name; a name that is not there is refused. NUMBER and DECIMAL depend on their digits. */
export const oracleForms: Record<string, OraForm> = {
  BINARY_DOUBLE: 'double',
  BINARY_FLOAT: 'float',
  BLOB: 'binary',
  BOOLEAN: 'bit',
  CHAR: 'text',
  CLOB: 'text',
  DATE: 'datetime',
  FLOAT: 'text',
  'INTERVAL DAY TO SECOND': 'shown',
  'INTERVAL YEAR TO MONTH': 'shown',
  JSON: 'json',
  LONG: 'text',
  'LONG RAW': 'binary',
  NCHAR: 'text',
  NCLOB: 'text',
  NUMBER: 'decimal',
  NVARCHAR2: 'text',
  RAW: 'binary',
  ROWID: 'shown',
  TIMESTAMP: 'datetime',
  'TIMESTAMP WITH LOCAL TIME ZONE': 'instant',
  'TIMESTAMP WITH TIME ZONE': 'instant',
  UROWID: 'shown',
  VARCHAR2: 'text',
  XMLTYPE: 'xml',
};

export const damengForms: Record<string, OraForm> = {
  BIGINT: 'int64',
  BINARY: 'binary',
  BIT: 'int64',
  BLOB: 'binary',
  BYTE: 'int64',
  CHAR: 'text',
  CHARACTER: 'text',
  CLOB: 'text',
  DATE: 'date',
  DATETIME: 'datetime',
  'DATETIME WITH TIME ZONE': 'instant',
  DEC: 'decimal',
  DECIMAL: 'decimal',
  DOUBLE: 'double',
  'DOUBLE PRECISION': 'double',
  FLOAT: 'double',
  IMAGE: 'binary',
  INT: 'int64',
  INTEGER: 'int64',
  'INTERVAL DAY TO SECOND': 'shown',
  'INTERVAL YEAR TO MONTH': 'shown',
  LONGVARBINARY: 'binary',
  LONGVARCHAR: 'text',
  NUMBER: 'decimal',
  NUMERIC: 'decimal',
  REAL: 'float',
  SMALLINT: 'int64',
  TEXT: 'text',
  TIME: 'time',
  TIMESTAMP: 'datetime',
  'TIMESTAMP WITH LOCAL TIME ZONE': 'instant',
  'TIMESTAMP WITH TIME ZONE': 'instant',
  TINYINT: 'int64',
  VARBINARY: 'binary',
  VARCHAR: 'text',
  VARCHAR2: 'text',
};

export function oraTypes(forms: Record<string, OraForm>): TypeTable<OraType, OraMapping> {
  return {
    mappingOf: (type) => {
      const form = Object.hasOwn(forms, type.name) ? forms[type.name] : undefined;
      if (form === undefined) return undefined;
      return form === 'decimal' ? numberMapping(type) : { form };
    },
    overridden: ({ name }, natural, wish) => {
      if (wish.as === 'text')
        return natural?.form === 'text' ? natural : { form: isNumber(natural) ? 'text' : 'shown' };
      const { precision, scale } = wish;
      const fits = isNumber(natural) || name === 'NUMBER' || name === 'FLOAT';
      return fits && scale <= precision ? { form: 'decimal', precision, scale } : undefined;
    },
    arrowTypeOf,
    canBeUnrepresentable: ({ form }) =>
      ['date', 'datetime', 'decimal', 'instant', 'int64', 'text', 'time'].includes(form),
  };
}

function isNumber(mapping: OraMapping | undefined): boolean {
  return mapping?.form === 'decimal' || mapping?.form === 'int64';
}

/**
 * NUMBER(p, s): s below zero rounds to tens, s above p has zeros behind the point; NUMBER(*, 0) is INTEGER. NUMBER alone
 * holds 40 digits anywhere: exact text, never a double.
 */
function numberMapping({ precision, scale }: OraType): OraMapping {
  if (precision === undefined && scale !== 0) return { form: 'text' };
  const places = Math.max(0, scale ?? 0);
  const digits = Math.max((precision ?? DECIMAL_DIGITS_MAX) + Math.max(0, -(scale ?? 0)), places);
  if (digits > DECIMAL_DIGITS_MAX) return { form: 'text' };
  return places === 0 && digits <= INT64_DIGITS
    ? { form: 'int64' }
    : { form: 'decimal', precision: digits, scale: places };
}

function arrowTypeOf({ form, precision = DECIMAL_DIGITS_MAX, scale = 0 }: OraMapping): DataType {
  switch (form) {
    case 'binary':
      return new Binary();
    case 'bit':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'datetime':
      return new TimestampMicrosecond();
    case 'decimal':
      return new Decimal(scale, precision, 128);
    case 'double':
      return new Float64();
    case 'float':
      return new Float32();
    case 'instant':
      return new TimestampMicrosecond('UTC');
    case 'int64':
      return new Int64();
    case 'json':
    case 'shown':
    case 'text':
    case 'xml':
      return new Utf8();
    case 'time':
      return new TimeMicrosecond();
  }
}

/** The expression of a SELECT that gives a column's cells as text or bytes. Years before 1 have a minus: unrepresentable. */
export function selectExpression(column: string, { form }: OraMapping): string {
  switch (form) {
    case 'date':
      return `to_char(${column}, 'YYYY-MM-DD')`;
    case 'datetime':
      // A DATE has no fraction, but its cast to a timestamp has: one format for both.
      return `to_char(cast(${column} as timestamp(9)), 'SYYYY-MM-DD"T"HH24:MI:SS.FF9')`;
    case 'instant':
      return `to_char(sys_extract_utc(${column}), 'SYYYY-MM-DD"T"HH24:MI:SS.FF9') || 'Z'`;
    case 'json':
      return `json_serialize(${column} returning clob)`;
    case 'shown':
    case 'time':
      return `to_char(${column})`;
    case 'xml':
      return `xmlserialize(content ${column} as clob)`;
    case 'binary':
    case 'bit':
    case 'decimal':
    case 'double':
    case 'float':
    case 'int64':
    case 'text':
      return column;
  }
}

/** What a driver gave for a cell. In Oracle an empty string is null: nobody can tell them apart. */
export function cellOf({ form }: OraMapping, value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (form === 'binary') return value instanceof Uint8Array ? value : { problem: 'INVALID_TEXT' };
  if (typeof value === 'number' && (form === 'decimal' || form === 'int64')) {
    // A driver that hands over a double has lost digits beyond 2^53 already.
    return Number.isSafeInteger(value) ? String(value) : { problem: 'OUT_OF_RANGE' };
  }
  const text = String(value);
  // TO_CHAR's SYYYY begins with a blank where the year has no minus.
  return form === 'datetime' || form === 'instant' ? text.trimStart() : text;
}
