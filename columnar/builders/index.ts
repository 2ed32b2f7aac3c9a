/** The one switch that chooses a builder for an Arrow type, and the batch made of several builders. */
import { type Data, DataType, type Int, makeData, Precision, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { HuitongError } from '../../lib/errors.ts';
import { BoolBuilder } from './bool.ts';
import type { ColumnBuilder } from './builder.ts';
import { BytesBuilder } from './bytes.ts';
import { Decimal128Builder } from './decimal128.ts';
import { FixedSizeBinaryBuilder } from './fixed-size-binary.ts';
import { Int64Builder } from './int64.ts';
import { ListBuilder } from './list.ts';
import { NumberBuilder } from './number.ts';
import { StructBuilder } from './struct.ts';

export { BoolBuilder } from './bool.ts';
export { ColumnBuilder } from './builder.ts';
export { type ByteSource, BytesBuilder } from './bytes.ts';
export { Decimal128Builder } from './decimal128.ts';
export { FixedSizeBinaryBuilder } from './fixed-size-binary.ts';
export { Int64Builder } from './int64.ts';
export { ListBuilder } from './list.ts';
export { NumberBuilder } from './number.ts';
export { StructBuilder } from './struct.ts';

/** Throws ARROW_INVALID for a type that no builder makes; which builder a type has, the files here tell. */
export function builderFor(type: DataType): ColumnBuilder {
  if (DataType.isBool(type)) return new BoolBuilder(type);
  if (DataType.isInt(type)) return integerBuilder(type);
  if (DataType.isFloat(type) && type.precision === Precision.SINGLE) return new NumberBuilder(type, Float32Array);
  if (DataType.isFloat(type) && type.precision === Precision.DOUBLE) return new NumberBuilder(type, Float64Array);
  if (DataType.isDecimal(type) && type.bitWidth === 128) return new Decimal128Builder(type);
  if (DataType.isDate(type) && type.ArrayType === Int32Array) return new NumberBuilder(type, Int32Array);
  if (DataType.isTimestamp(type)) return new Int64Builder(type);
  if (DataType.isTime(type) && type.bitWidth === 64) return new Int64Builder(type);
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return new BytesBuilder(type);
  if (DataType.isFixedSizeBinary(type)) return new FixedSizeBinaryBuilder(type);
  if (DataType.isList(type)) return new ListBuilder(type, builderFor(type.valueType));
  if (DataType.isStruct(type)) {
    return new StructBuilder(
      type,
      type.children.map((child) => builderFor(child.type)),
    );
  }
  throw new HuitongError('ARROW_INVALID', `no column builder makes the Arrow type ${type}`);
}

function integerBuilder(type: Int): ColumnBuilder {
  if (type.bitWidth === 64) return new Int64Builder(type);
  if (type.bitWidth === 32) return new NumberBuilder(type, type.isSigned ? Int32Array : Uint32Array);
  if (type.bitWidth === 16) return new NumberBuilder(type, type.isSigned ? Int16Array : Uint16Array);
  return new NumberBuilder(type, type.isSigned ? Int8Array : Uint8Array);
}

/** One batch of all builders' cells: views of their memory, valid until they are reset. Every builder has `rows` cells. */
export function finishBatch(schema: Schema, builders: ColumnBuilder[], rows: number): RecordBatch {
  const children: Data[] = builders.map((builder) => builder.finish());
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children });
  return new RecordBatch(schema, struct);
}
