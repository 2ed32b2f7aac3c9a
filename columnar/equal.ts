/** Whether two rows are the same: cell by cell, byte by byte, nulls equal to nulls. No object is made for a row. */
import type { Data, RecordBatch } from 'apache-arrow';
import { bitAt } from './bits.ts';
import { layoutOf } from './layout.ts';

export type SameRow = (left: number, right: number) => boolean;

/** Compares rows of two batches with the same columns. */
export function rowEquality(left: RecordBatch, right: RecordBatch): SameRow {
  const columns = left.data.children.map((column, position) => cellEquality(column, right.data.children[position]!));
  return (a, b) => columns.every((same) => same(a, b));
}

function cellEquality(left: Data, right: Data): SameRow {
  const same = valueEquality(left, right);
  // A column of nulls only has no bitmap to look into.
  if (layoutOf(left.type).kind === 'null') return same;
  if (left.nullCount === 0 && right.nullCount === 0) return same;
  return (a, b) => {
    const valid = isValid(left, a);
    if (valid !== isValid(right, b)) return false;
    return !valid || same(a, b);
  };
}

function isValid(data: Data, row: number): boolean {
  return data.nullCount === 0 || bitAt(data.nullBitmap, data.offset + row);
}

function valueEquality(left: Data, right: Data): SameRow {
  const layout = layoutOf(left.type);
  switch (layout.kind) {
    case 'null':
      return () => true;
    case 'bits':
      return (a, b) => bitAt(left.values, left.offset + a) === bitAt(right.values, right.offset + b);
    case 'fixed': {
      const [x, y] = [bytesOf(left.values), bytesOf(right.values)];
      const { bytes } = layout;
      return (a, b) => sameBytes(x, a * bytes, y, b * bytes, bytes);
    }
    case 'variable': {
      const [x, y] = [bytesOf(left.values), bytesOf(right.values)];
      return (a, b) => {
        const [start, size] = spanOf(left, a);
        const [other, otherSize] = spanOf(right, b);
        return size === otherSize && sameBytes(x, start, y, other, size);
      };
    }
    case 'list': {
      const items = cellEquality(left.children[0]!, right.children[0]!);
      return (a, b) => {
        const [start, size] = spanOf(left, a);
        const [other, otherSize] = spanOf(right, b);
        return size === otherSize && sameItems(items, start, other, size);
      };
    }
    case 'fixedList': {
      const items = cellEquality(left.children[0]!, right.children[0]!);
      const { size } = layout;
      return (a, b) => sameItems(items, a * size, b * size, size);
    }
    case 'struct': {
      const fields = left.children.map((child, i) => cellEquality(child, right.children[i]!));
      return (a, b) => fields.every((same) => same(a, b));
    }
  }
}

function spanOf(data: Data, row: number): [start: number, size: number] {
  const start = Number(data.valueOffsets[row]);
  return [start, Number(data.valueOffsets[row + 1]) - start];
}

function sameItems(same: SameRow, left: number, right: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (!same(left + i, right + i)) return false;
  return true;
}

function sameBytes(left: Uint8Array, a: number, right: Uint8Array, b: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (left[a + i] !== right[b + i]) return false;
  return true;
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
