/**
 * How each Arrow type lies in memory, in the words of the columnar format's "Physical memory layout". Everything that
 * walks columns (writer, reader, column choice, filter) asks here, so that a type is added in one place.
 *
 * Not among them, and refused by name: dictionaries, unions, run-end encoding and views. No connector produces them.
 */
import { DataType, DateUnit, type Field, IntervalUnit, Precision, type Schema } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';

export type Layout =
  /** No buffers at all. */
  | { kind: 'null' }
  /** Validity, then one bit a value. */
  | { kind: 'bits' }
  /** Validity, then `bytes` a value. */
  | { kind: 'fixed'; bytes: number }
  /** Validity, offsets (64 bits each where `wide`), then bytes. */
  | { kind: 'variable'; wide: boolean }
  /** Validity, offsets, then one child. Maps are lists of structs. */
  | { kind: 'list'; wide: boolean }
  /** Validity, then one child with `size` values for each of ours. */
  | { kind: 'fixedList'; size: number }
  /** Validity, then a child a field. */
  | { kind: 'struct' };

/** @throws HuitongError TYPE_UNMAPPED for a type without a layout here; `at` names the column. */
export function layoutOf(type: DataType, at?: string): Layout {
  const fixed = fixedBytes(type);
  if (fixed !== undefined) return { kind: 'fixed', bytes: fixed };
  if (DataType.isNull(type)) return { kind: 'null' };
  if (DataType.isBool(type)) return { kind: 'bits' };
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return { kind: 'variable', wide: false };
  if (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type)) return { kind: 'variable', wide: true };
  if (DataType.isList(type) || DataType.isMap(type)) return { kind: 'list', wide: false };
  if (DataType.isLargeList(type)) return { kind: 'list', wide: true };
  if (DataType.isFixedSizeList(type)) return { kind: 'fixedList', size: type.listSize };
  if (DataType.isStruct(type)) return { kind: 'struct' };
  throw new HuitongError('TYPE_UNMAPPED', `Arrow type ${type} is not used in parts`, { at });
}

function fixedBytes(type: DataType): number | undefined {
  if (DataType.isInt(type) || DataType.isTime(type) || DataType.isDecimal(type)) return type.bitWidth / 8;
  if (DataType.isFloat(type))
    return { [Precision.HALF]: 2, [Precision.SINGLE]: 4, [Precision.DOUBLE]: 8 }[type.precision];
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 4 : 8;
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return 8;
  if (DataType.isInterval(type)) {
    return { [IntervalUnit.YEAR_MONTH]: 4, [IntervalUnit.DAY_TIME]: 8, [IntervalUnit.MONTH_DAY_NANO]: 16 }[type.unit];
  }
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth;
  return undefined;
}

/** Fields below a type, in the order in which their nodes and buffers follow it. */
export function childFields(type: DataType): Field[] {
  return type.children ?? [];
}

/** Field nodes and buffers that one column takes in a record batch message, its children included. */
export function messageShape(type: DataType): { nodes: number; buffers: number } {
  const own = { null: 0, bits: 2, fixed: 2, variable: 3, list: 2, fixedList: 1, struct: 1 }[layoutOf(type).kind];
  const shape = { nodes: 1, buffers: own };
  for (const child of childFields(type)) {
    const below = messageShape(child.type);
    shape.nodes += below.nodes;
    shape.buffers += below.buffers;
  }
  return shape;
}

/** @throws HuitongError TYPE_UNMAPPED naming the first column whose type parts do not carry. */
export function assertLayouts(schema: Schema): void {
  const visit = (field: Field, path: string): void => {
    layoutOf(field.type, path);
    for (const child of childFields(field.type)) visit(child, `${path}.${child.name}`);
  };
  for (const field of schema.fields) visit(field, field.name);
}
