/** A file's columns, brought to what the schema says. Writers differ in units and offsets; no value is changed. */
import { RecordBatch as Batch, Data, DataType, type RecordBatch, type Schema, Struct, TimeUnit } from 'apache-arrow';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import { bitAt } from '../../columnar/bits.ts';
import { type BytesBuilder, builderFor, type Int64Builder } from '../../columnar/builders/index.ts';
import { appendBytes, textAppender } from '../../columnar/text-cells.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SourceBatch } from '../connector.ts';
import type { DeltaColumn } from './plan.ts';
import type { SharedFile } from './sharing.ts';

type Report = (row: number, code: UnrepresentableCell['code']) => void;

/** @param columns of the plan, in the order of `schema` */
export function convertBatch(
  batch: RecordBatch,
  schema: Schema,
  columns: DeltaColumn[],
  file: SharedFile,
  at: string,
): SourceBatch {
  const unrepresentable: UnrepresentableCell[] = [];
  const children = schema.fields.map((field, column): Data => {
    const report: Report = (row, code) => unrepresentable.push({ row, column, code });
    if (columns[column]?.partition) {
      return constantColumn(field.type, file.partitionValues[field.name] ?? null, batch.numRows, report);
    }
    const place = batch.schema.fields.findIndex(({ name }) => name === field.name);
    // A column that was added to the table after the file was written.
    if (place === -1) return constantColumn(field.type, null, batch.numRows, report);
    const converted = convertColumn(batch.data.children[place] as Data, field.type, report);
    if (converted !== undefined) {
      assertCellSizes(converted, field.name, at);
      return converted;
    }
    const type = batch.schema.fields[place]?.type;
    throw new HuitongError('SCHEMA_DRIFT', `the column ${field.name} is ${type} in a file, and not ${field.type}`, {
      at,
    });
  });
  const data = new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children);
  return { batch: new Batch(schema, data), unrepresentable };
}

/** Delta protocol, "Partition Value Serialization": text; an empty one is null, whatever the type. */
function constantColumn(type: DataType, value: string | null, rows: number, report: Report): Data {
  const builder = builderFor(type);
  const append = textAppender(type, builder);
  for (let row = 0; row < rows; row++) {
    const problem = value === null || value === '' ? builder.appendNull() : append(value);
    if (problem !== undefined) report(row, problem);
  }
  return builder.finish();
}

function convertColumn(data: Data, wanted: DataType, report: Report): Data | undefined {
  const { type } = data;
  if (String(type) === String(wanted)) return data;
  if (DataType.isTimestamp(type) && DataType.isTimestamp(wanted)) {
    const isZoned = type.timezone != null;
    // Spark's INT96 is UTC by convention, and its readers give it without a zone, in nanoseconds.
    if (isZoned && wanted.timezone == null) return undefined;
    return inMicroseconds(data, wanted, type.unit, report);
  }
  if (
    (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type)) &&
    (DataType.isUtf8(wanted) || DataType.isBinary(wanted))
  ) {
    return narrowOffsets(data, wanted);
  }
  if (DataType.isBinary(type) && DataType.isUtf8(wanted)) return retyped(data, wanted);
  return undefined;
}

function retyped(data: Data, type: DataType): Data {
  return new Data(type, data.offset, data.length, data.nullCount, data.buffers);
}

const perSecond: Record<number, bigint> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1_000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};

/** Digits below the microsecond are not cut off: such a cell is unrepresentable. */
function inMicroseconds(data: Data, wanted: DataType, unit: TimeUnit, report: Report): Data {
  const from = perSecond[unit] ?? 1n;
  const values = data.values as BigInt64Array;
  const builder = builderFor(wanted) as Int64Builder;
  for (let row = 0; row < data.length; row++) {
    if (isNull(data, row)) {
      builder.appendNull();
      continue;
    }
    const scaled = (values[row] as bigint) * 1_000_000n;
    if (scaled % from !== 0n) {
      builder.appendNull();
      report(row, 'OUT_OF_RANGE');
      continue;
    }
    const microseconds = scaled / from;
    builder.append(Number(microseconds >> 32n), Number(microseconds & 0xffffffffn));
  }
  return builder.finish();
}

function narrowOffsets(data: Data, wanted: DataType): Data {
  const builder = builderFor(wanted) as BytesBuilder;
  const offsets = data.valueOffsets as unknown as BigInt64Array;
  for (let row = 0; row < data.length; row++) {
    if (isNull(data, row)) builder.appendNull();
    else appendBytes(builder, (data.values as Uint8Array).subarray(Number(offsets[row]), Number(offsets[row + 1])));
  }
  return builder.finish();
}

/** Throws CELL_TOO_LARGE. */
function assertCellSizes({ length, type, valueOffsets }: Data, name: string, at: string): void {
  if (!DataType.isUtf8(type) && !DataType.isBinary(type)) return;
  const total = (valueOffsets[length] ?? 0) - (valueOffsets[0] ?? 0);
  if (total <= limits.cellBytesMax) return;
  for (let row = 0; row < length; row++) {
    if ((valueOffsets[row + 1] ?? 0) - (valueOffsets[row] ?? 0) <= limits.cellBytesMax) continue;
    throw new HuitongError('CELL_TOO_LARGE', `a cell of column ${name} is larger than ${limits.cellBytesMax} bytes`, {
      at,
    });
  }
}

function isNull(data: Data, row: number): boolean {
  return data.nullCount !== 0 && data.nullBitmap != null && !bitAt(data.nullBitmap, data.offset + row);
}
