/**
 * What a cell of text can be read as. CSV and XLSX have no types of their own, and JSON's numbers are text with many
 * meanings: a column is text unless the definition states a type. Arrow and Parquet carry their types with them.
 */
import {
  Bool,
  type DataType,
  DateDay,
  Decimal,
  type Field,
  Float64,
  Int16,
  Int32,
  Int64,
  Schema,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import { assertLayouts } from '../../columnar/layout.ts';
import { readSchemaMessage, schemaMessage } from '../../columnar/message.ts';
import { isHuitongError } from '../../lib/errors.ts';
import type { TypeTable, TypeWish } from '../columns.ts';

export type TextCodec =
  | 'text'
  | 'bool'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'decimal'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz';

/** Plain data, kept in a plan. `line`: not a cell, the number of the line. `arrow`: as the file has it. */
export type Mapping =
  | { codec: Exclude<TextCodec, 'decimal'> | 'line' }
  | { codec: 'decimal'; precision: number; scale: number }
  | { codec: 'arrow'; field: string };

const simple = new Set<string>([
  'text',
  'bool',
  'int16',
  'int32',
  'int64',
  'float64',
  'date',
  'time',
  'timestamp',
  'timestamptz',
] satisfies TextCodec[]);
const DECIMAL = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/;

/** A type as a definition spells it, or `arrow:` and a field of an Arrow schema. Undefined: there is no such type. */
export function mappingOf(spelling: string): Mapping | undefined {
  if (simple.has(spelling)) return { codec: spelling as Exclude<TextCodec, 'decimal'> };
  if (spelling === 'line') return { codec: 'line' };
  const [, precision, scale] = DECIMAL.exec(spelling) ?? [];
  if (precision !== undefined) return decimalOf(Number(precision), Number(scale));
  return spelling.startsWith('arrow:') ? arrowMapping(spelling.slice('arrow:'.length)) : undefined;
}

function decimalOf(precision: number, scale: number): Mapping | undefined {
  return precision >= 1 && precision <= 38 && scale <= precision ? { codec: 'decimal', precision, scale } : undefined;
}

/** How an Arrow field is spelled for the type table; `mappingOf` is its mirror. */
export function spellingOfField(field: Field): string {
  return `arrow:${Buffer.from(schemaMessage(new Schema([field]))).toString('base64')}`;
}

/** Undefined for types that parts do not carry: dictionaries, unions, views. */
function arrowMapping(field: string): Mapping | undefined {
  try {
    assertLayouts(new Schema([fieldOf(field)]));
    return { codec: 'arrow', field };
  } catch (e: unknown) {
    if (isHuitongError(e, 'TYPE_UNMAPPED')) return undefined;
    throw e;
  }
}

export function fieldOf(field: string): Field {
  return readSchemaMessage(Buffer.from(field, 'base64')).fields[0] as Field;
}

export function arrowTypeOf(mapping: Mapping): DataType {
  switch (mapping.codec) {
    case 'text':
      return new Utf8();
    case 'bool':
      return new Bool();
    case 'int16':
      return new Int16();
    case 'int32':
      return new Int32();
    case 'line':
    case 'int64':
      return new Int64();
    case 'float64':
      return new Float64();
    case 'decimal':
      return new Decimal(mapping.scale, mapping.precision, 128);
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'timestamptz':
      return new TimestampMicrosecond('UTC');
    case 'arrow':
      return fieldOf(mapping.field).type;
  }
}

export const types: TypeTable<string, Mapping> = {
  mappingOf,
  overridden(_spelling: string, natural: Mapping | undefined, wish: TypeWish): Mapping | undefined {
    // Cells of Arrow and Parquet have no text that would be the source's own.
    if (natural === undefined || natural.codec === 'arrow' || natural.codec === 'line') return undefined;
    return wish.as === 'text' ? { codec: 'text' } : decimalOf(wish.precision, wish.scale);
  },
  arrowTypeOf,
  canBeUnrepresentable: (mapping) => mapping.codec !== 'arrow' && mapping.codec !== 'line',
  metadataOf: (mapping) => (mapping.codec === 'arrow' ? fieldOf(mapping.field).metadata : new Map()),
};
