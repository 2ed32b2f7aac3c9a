/**
 * Delta's types and what becomes of each (Delta protocol, "Schema Serialization Format"). Columns are what the Parquet
 * files hold; `schemaString` says what that is. docs/reference/sharing-sources.md is held equal to it by a test.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { CatalogColumn, TypeTable } from '../columns.ts';

/** A type's name, or an object where it is an array, a map or a struct. */
export type DeltaType = string | { type: string };

export interface DeltaField {
  name: string;
  type: DeltaType;
  nullable: boolean;
  metadata?: Record<string, unknown>;
}

/** As Delta spells it; plain data. */
export interface DeltaMapping {
  type: string;
}

const simple: Record<string, () => DataType> = {
  binary: () => new Binary(),
  boolean: () => new Bool(),
  byte: () => new Int8(),
  date: () => new DateDay(),
  double: () => new Float64(),
  float: () => new Float32(),
  integer: () => new Int32(),
  long: () => new Int64(),
  short: () => new Int16(),
  string: () => new Utf8(),
  timestamp: () => new TimestampMicrosecond('UTC'),
  timestamp_ntz: () => new TimestampMicrosecond(),
};
const DECIMAL = /^decimal\((\d+),\s*(-?\d+)\)$/;

export const simpleTypeNames = Object.keys(simple);

export const types: TypeTable<DeltaType, DeltaMapping> = {
  mappingOf: (type) => (typeof type === 'string' && arrowOf(type) !== undefined ? { type } : undefined),
  // Files are read as they are: nothing is converted on the way.
  overridden: (_, natural, wish) => (wish.as === 'text' && natural?.type === 'string' ? natural : undefined),
  arrowTypeOf: ({ type }) => arrowOf(type) ?? new Utf8(),
};

function arrowOf(type: string): DataType | undefined {
  const decimal = DECIMAL.exec(type);
  if (decimal === null) return Object.hasOwn(simple, type) ? simple[type]?.() : undefined;
  const [precision, scale] = [Number(decimal[1]), Number(decimal[2])];
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
    ? new Decimal(scale, precision, 128)
    : undefined;
}

export function columnsOf(fields: DeltaField[]): CatalogColumn<DeltaType>[] {
  return fields.map(({ name, type, nullable, metadata }) => ({
    name,
    type,
    sourceType: typeof type === 'string' ? type : type.type,
    nullable,
    ...(typeof metadata?.comment === 'string' ? { comment: metadata.comment } : {}),
  }));
}
