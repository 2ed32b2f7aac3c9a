import type { Data, RecordBatch } from 'apache-arrow';
import { bitmapBytes } from './bits.ts';
import { layoutOf } from './layout.ts';

/** Decoded bytes of a batch's cells. Memory behind them that is merely reserved is not counted. */
export function batchBytes(batch: RecordBatch): number {
  return batch.data.children.reduce((sum, column) => sum + columnBytes(column), 0);
}

function columnBytes(data: Data): number {
  const { length } = data;
  const layout = layoutOf(data.type);
  const validity = data.nullCount > 0 ? bitmapBytes(length) : 0;
  switch (layout.kind) {
    case 'null':
      return 0;
    case 'bits':
      return validity + bitmapBytes(length);
    case 'fixed':
      return validity + length * layout.bytes;
    case 'variable':
      return validity + length * (layout.wide ? 8 : 4) + spanOf(data);
    case 'list':
      return validity + length * (layout.wide ? 8 : 4) + columnBytes(spannedChild(data));
    case 'fixedList':
    case 'struct':
      return data.children.reduce((sum, child) => sum + columnBytes(child), validity);
  }
}

/** How many values of the child, or bytes, the offsets span. */
function spanOf({ length, valueOffsets }: Data): number {
  return length === 0 ? 0 : Number(valueOffsets[length]) - Number(valueOffsets[0]);
}

function spannedChild(data: Data): Data {
  const begin = data.length === 0 ? 0 : Number(data.valueOffsets[0]);
  return data.children[0]!.slice(begin, spanOf(data));
}
