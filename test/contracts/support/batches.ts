import * as arrow from 'apache-arrow';
import type { ContractDocument } from '../../../contracts/contract.ts';

export interface TestColumn {
  type: arrow.DataType;
  /** Stored cells as the column's array holds them (bigint for 64-bit types, unscaled bigint for decimals); null for null. */
  cells: unknown[];
  metadata?: Map<string, string>;
}

export type TestColumns = Record<string, TestColumn>;

export const uuidMetadata = new Map([['ARROW:extension:name', 'arrow.uuid']]);

function decimalData(type: arrow.Decimal, cells: unknown[]): arrow.Data {
  const words = new Uint32Array(cells.length * 4);
  const bitmap = new Uint8Array(Math.ceil(cells.length / 8) + 8);
  cells.forEach((cell, row) => {
    if (typeof cell === 'bigint') {
      bitmap[row >> 3] = bitmap[row >> 3]! | (1 << (row & 7));
      for (let word = 0; word < 4; word++) {
        words[row * 4 + word] = Number(BigInt.asUintN(32, cell >> BigInt(32 * word)));
      }
    }
  });
  const nullCount = cells.filter((cell) => cell === null).length;
  return arrow.makeData({ type, length: cells.length, nullCount, nullBitmap: bitmap, data: words });
}

/** Fixed-width columns are laid out by hand: arrow's own builders convert days and ticks through `Date`. */
function plainData(type: arrow.DataType, cells: unknown[]): arrow.Data {
  const values = new type.ArrayType(cells.length);
  const bitmap = new Uint8Array(Math.ceil(cells.length / 8) + 8);
  cells.forEach((cell, row) => {
    if (cell !== null) {
      bitmap[row >> 3] = bitmap[row >> 3]! | (1 << (row & 7));
      values[row] = cell;
    }
  });
  const nullCount = cells.filter((cell) => cell === null).length;
  return arrow.makeData({ type, length: cells.length, nullCount, nullBitmap: bitmap, data: values } as never);
}

function dataOf({ type, cells }: TestColumn): arrow.Data {
  switch (type.typeId) {
    case arrow.Type.Decimal:
      return decimalData(type as arrow.Decimal, cells);
    case arrow.Type.Int:
    case arrow.Type.Float:
    case arrow.Type.Date:
    case arrow.Type.Timestamp:
    case arrow.Type.Time:
      return plainData(type, cells);
    default:
      return arrow.vectorFromArray(cells, type).data[0] ?? arrow.makeData({ type } as never);
  }
}

export function batchOf(columns: TestColumns): arrow.RecordBatch {
  const fields = Object.entries(columns).map(([name, c]) => new arrow.Field(name, c.type, true, c.metadata));
  const children = Object.values(columns).map(dataOf);
  const length = Math.max(0, ...Object.values(columns).map((column) => column.cells.length));
  const data = arrow.makeData({ type: new arrow.Struct(fields), length, nullCount: 0, children });
  return new arrow.RecordBatch(new arrow.Schema(fields), data);
}

export function contract(properties: Record<string, unknown>, rest: Partial<ContractDocument> = {}): ContractDocument {
  return { version: '1.0.0', key: [Object.keys(properties)[0]!], type: 'object', properties, ...rest };
}
