/**
 * Rows picked from several batches, in any order and as often as wanted, into one new batch: sorting and merging are
 * picking. The new batch has memory of its own, and under its nulls there are zeros and no bytes, so that equal rows
 * give equal bytes wherever they were picked from.
 */
import { Data, type DataType, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import { bitAt, bitmapBytes } from './bits.ts';
import { childFields, layoutOf } from './layout.ts';

/** Row `row[i]` of batch `batch[i]`, for every `i` below `length`. */
export interface Picks {
  batch: Uint32Array;
  row: Uint32Array;
  length: number;
}

const NARROW_BYTES_MAX = 2 ** 31 - 1;

/** The batches have the columns of `schema`, by position. @throws HuitongError CELL_TOO_LARGE for more than 2 GiB in a column */
export function gatherRows(schema: Schema, batches: RecordBatch[], picks: Picks): RecordBatch {
  const children = schema.fields.map((field, position) =>
    gather(
      field.type,
      batches.map((batch) => batch.data.children[position]!),
      picks,
    ),
  );
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, picks.length, 0, undefined, children));
}

/** Rows of one batch, in the order given. */
export function takeRows(batch: RecordBatch, row: Uint32Array): RecordBatch {
  return gatherRows(batch.schema, [batch], { batch: new Uint32Array(row.length), row, length: row.length });
}

/** All rows of all batches, one batch behind the other. */
export function concatBatches(schema: Schema, batches: RecordBatch[]): RecordBatch {
  const length = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  const picks: Picks = { batch: new Uint32Array(length), row: new Uint32Array(length), length };
  let at = 0;
  batches.forEach((batch, place) => {
    for (let row = 0; row < batch.numRows; row++, at++) {
      picks.batch[at] = place;
      picks.row[at] = row;
    }
  });
  return gatherRows(schema, batches, picks);
}

type BufferList = ConstructorParameters<typeof Data>[4];
type Offsets = Int32Array | BigInt64Array;

function gather(type: DataType, columns: Data[], picks: Picks): Data {
  const layout = layoutOf(type);
  const { length } = picks;
  if (layout.kind === 'null') return new Data(type, 0, length, length);
  const validity = gatherValidity(columns, picks);
  const build = (offsets?: Offsets, values?: ArrayBufferView, children?: Data[]): Data =>
    new Data(type, 0, length, validity === undefined ? 0 : -1, [offsets, values, validity] as BufferList, children);
  switch (layout.kind) {
    case 'bits':
      return build(undefined, gatherBits(columns, picks));
    case 'fixed': {
      const bytes = gatherFixed(columns, picks, layout.bytes, validity);
      const View = type.ArrayType as new (buffer: ArrayBuffer) => ArrayBufferView;
      return build(undefined, new View(bytes.buffer));
    }
    case 'variable': {
      const spans = spansOf(columns, picks, layout.wide, validity);
      return build(spans.offsets, gatherBytes(columns, picks, spans.ends));
    }
    case 'list': {
      const spans = spansOf(columns, picks, layout.wide, validity);
      return build(spans.offsets, undefined, [gatherItems(type, columns, picks, spans.ends)]);
    }
    case 'fixedList': {
      const inner = repeatedPicks(picks, layout.size);
      const items = columns.map((column) => column.children[0]!);
      return build(undefined, undefined, [gather(childFields(type)[0]!.type, items, inner)]);
    }
    case 'struct': {
      const children = childFields(type).map((field, i) =>
        gather(
          field.type,
          columns.map((column) => column.children[i]!),
          picks,
        ),
      );
      return build(undefined, undefined, children);
    }
  }
}

/** Undefined where no picked cell is null. */
function gatherValidity(columns: Data[], { batch, row, length }: Picks): Uint8Array<ArrayBuffer> | undefined {
  if (columns.every((column) => column.nullCount === 0)) return undefined;
  const bits = new Uint8Array(bitmapBytes(length));
  let nulls = 0;
  for (let i = 0; i < length; i++) {
    const column = columns[batch[i]!]!;
    if (column.nullCount === 0 || bitAt(column.nullBitmap, column.offset + row[i]!)) bits[i >> 3]! |= 1 << (i & 7);
    else nulls++;
  }
  return nulls === 0 ? undefined : bits;
}

function gatherBits(columns: Data[], { batch, row, length }: Picks): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(length));
  for (let i = 0; i < length; i++) {
    const column = columns[batch[i]!]!;
    const valid = column.nullCount === 0 || bitAt(column.nullBitmap, column.offset + row[i]!);
    if (valid && bitAt(column.values, column.offset + row[i]!)) bits[i >> 3]! |= 1 << (i & 7);
  }
  return bits;
}

function gatherFixed(
  columns: Data[],
  { batch, row, length }: Picks,
  width: number,
  validity: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const sources = columns.map(({ values }) => bytesOf(values));
  const taken = new Uint8Array(length * width);
  const wordwise = width % 4 === 0 && sources.every((source) => source.byteOffset % 4 === 0);
  if (wordwise) {
    const words = width / 4;
    const from = sources.map((source) => new Uint32Array(source.buffer, source.byteOffset, source.byteLength >> 2));
    const to = new Uint32Array(taken.buffer);
    for (let i = 0; i < length; i++) {
      if (validity !== undefined && !bitAt(validity, i)) continue;
      const source = from[batch[i]!]!;
      const start = row[i]! * words;
      for (let word = 0; word < words; word++) to[i * words + word] = source[start + word]!;
    }
    return taken;
  }
  for (let i = 0; i < length; i++) {
    if (validity !== undefined && !bitAt(validity, i)) continue;
    const source = sources[batch[i]!]!;
    const start = row[i]! * width;
    for (let byte = 0; byte < width; byte++) taken[i * width + byte] = source[start + byte]!;
  }
  return taken;
}

/** Where each picked cell ends in the new column; a null takes no room. */
function spansOf(
  columns: Data[],
  { batch, row, length }: Picks,
  wide: boolean,
  validity: Uint8Array | undefined,
): { offsets: Offsets; ends: Float64Array } {
  const ends = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) {
    const offsets: Offsets = columns[batch[i]!]!.valueOffsets;
    const valid = validity === undefined || bitAt(validity, i);
    const size = valid ? Number(offsets[row[i]! + 1]) - Number(offsets[row[i]!]) : 0;
    ends[i + 1] = ends[i]! + size;
  }
  if (wide) return { ends, offsets: BigInt64Array.from(ends, BigInt) };
  if (ends[length]! > NARROW_BYTES_MAX) {
    throw new HuitongError('CELL_TOO_LARGE', 'the rows of one batch have more than 2 GiB in one column');
  }
  return { ends, offsets: Int32Array.from(ends) };
}

function gatherBytes(columns: Data[], { batch, row, length }: Picks, ends: Float64Array): Uint8Array {
  const sources = columns.map(({ values }) => bytesOf(values));
  const taken = new Uint8Array(ends[length]!);
  for (let i = 0; i < length; i++) {
    const size = ends[i + 1]! - ends[i]!;
    if (size === 0) continue;
    const start = Number(columns[batch[i]!]!.valueOffsets[row[i]!]);
    taken.set(sources[batch[i]!]!.subarray(start, start + size), ends[i]);
  }
  return taken;
}

function gatherItems(type: DataType, columns: Data[], picks: Picks, ends: Float64Array): Data {
  const total = ends[picks.length]!;
  const inner: Picks = { batch: new Uint32Array(total), row: new Uint32Array(total), length: total };
  for (let i = 0; i < picks.length; i++) {
    const start = Number(columns[picks.batch[i]!]!.valueOffsets[picks.row[i]!]);
    for (let at = ends[i]!; at < ends[i + 1]!; at++) {
      inner.batch[at] = picks.batch[i]!;
      inner.row[at] = start + at - ends[i]!;
    }
  }
  return gather(
    childFields(type)[0]!.type,
    columns.map((column) => column.children[0]!),
    inner,
  );
}

function repeatedPicks({ batch, row, length }: Picks, size: number): Picks {
  const repeated: Picks = {
    batch: new Uint32Array(length * size),
    row: new Uint32Array(length * size),
    length: length * size,
  };
  for (let at = 0; at < repeated.length; at++) {
    const i = Math.floor(at / size);
    repeated.batch[at] = batch[i]!;
    repeated.row[at] = row[i]! * size + (at % size);
  }
  return repeated;
}

function bytesOf(values: ArrayBufferView | undefined): Uint8Array {
  if (values === undefined) return new Uint8Array(0);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
