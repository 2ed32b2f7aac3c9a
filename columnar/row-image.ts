/**
 * One row as bytes, so that it can be read without its neighbours, and rows from anywhere as one batch again: cells
 * come back bit by bit as they were. For look-ups; parts stay columnar.
 *
 * An image is a table and then cells, all little-endian:
 *   uint32 a column   where its cell begins, from the image's start; 0 where it is null
 *   cells             by layout: one byte for a truth value; the bytes of a fixed width; a uint32 length and the bytes
 *                     of text; a uint32 count and the items of a list; items or members of what has a fixed number
 * Within lists and structs each cell has a byte before it: 1, or 0 for null and nothing behind it.
 */
import { Data, type DataType, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { bitAt, bitmapBytes } from './bits.ts';
import { childFields, layoutOf } from './layout.ts';

/** Writes images one behind the other into memory that grows. */
export class RowImageWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  /** The images of all rows of a batch; `visit` is told where each lies in `bytes`. They are valid until the next call. */
  batch(batch: RecordBatch, visit: (row: number, start: number, length: number) => void): Buffer {
    this.#length = 0;
    const columns = batch.data.children;
    const cells = columns.map((column) => this.#cellWriter(column));
    for (let row = 0; row < batch.numRows; row++) {
      const start = this.#take(4 * columns.length);
      for (let c = 0; c < cells.length; c++) {
        const there = isValid(columns[c]!, row);
        this.#bytes.writeUInt32LE(there ? this.#length - start : 0, start + 4 * c);
        if (there) cells[c]!(row);
      }
      visit(row, start, this.#length - start);
    }
    return this.#bytes.subarray(0, this.#length);
  }

  /** Room for so many bytes more; gives where they begin. */
  #take(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafe(this.#length * 2);
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return start;
  }

  #cellWriter(data: Data): (row: number) => void {
    const layout = layoutOf(data.type);
    const children = data.children.map((child) => this.#nested(child));
    switch (layout.kind) {
      case 'null':
        return () => {};
      case 'bits':
        return (row) => {
          const at = this.#take(1);
          this.#bytes[at] = bitAt(data.values, data.offset + row) ? 1 : 0;
        };
      case 'fixed': {
        const bytes = bytesOf(data.values);
        const width = layout.bytes;
        return (row) => this.#copy(bytes, row * width, width);
      }
      case 'variable': {
        const bytes = bytesOf(data.values);
        return (row) => {
          const start = Number(data.valueOffsets[row]);
          const length = Number(data.valueOffsets[row + 1]) - start;
          this.#count(length);
          this.#copy(bytes, start, length);
        };
      }
      case 'list':
        return (row) => {
          const [start, end] = [Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1])];
          this.#count(end - start);
          for (let item = start; item < end; item++) children[0]!(item);
        };
      case 'fixedList':
        return (row) => {
          for (let item = row * layout.size; item < (row + 1) * layout.size; item++) children[0]!(item);
        };
      case 'struct':
        return (row) => {
          for (const child of children) child(row);
        };
    }
  }

  #nested(data: Data): (row: number) => void {
    const write = this.#cellWriter(data);
    return (row) => {
      const there = isValid(data, row);
      const at = this.#take(1);
      this.#bytes[at] = there ? 1 : 0;
      if (there) write(row);
    };
  }

  #copy(bytes: Uint8Array, start: number, length: number): void {
    const at = this.#take(length);
    this.#bytes.set(bytes.subarray(start, start + length), at);
  }

  #count(value: number): void {
    const at = this.#take(4);
    this.#bytes.writeUInt32LE(value, at);
  }
}

/** Where one cell's bytes begin; null for a null. */
type CellPlace = { bytes: Buffer; at: number } | null;

/** Makes a batch of the chosen columns of images that were written from batches of `schema`. */
export class RowImageReader {
  readonly schema: Schema;
  readonly #places: number[];

  /** @param chosen a schema of some of the columns, in any order */
  constructor(schema: Schema, chosen: Schema) {
    this.schema = chosen;
    this.#places = chosen.fields.map(({ name }) => schema.fields.findIndex((field) => field.name === name));
  }

  /** One row an image, in their order, in memory of its own. */
  batch(images: readonly Buffer[]): RecordBatch {
    const { fields } = this.schema;
    const children = fields.map(({ type }, c) => {
      const entry = 4 * this.#places[c]!;
      const places = images.map((bytes): CellPlace => {
        const at = bytes.readUInt32LE(entry);
        return at === 0 ? null : { bytes, at };
      });
      return columnOf(type, places);
    });
    return new RecordBatch(this.schema, new Data(new Struct(fields), 0, images.length, 0, undefined, children));
  }
}

/** Reads the cells and moves each place behind its cell, so that what follows it can be read. */
function columnOf(type: DataType, places: CellPlace[]): Data {
  const layout = layoutOf(type);
  const { length } = places;
  if (layout.kind === 'null') return new Data(type, 0, length, length);
  const { validity, nullCount } = validityOf(places);
  const build = (offsets?: Int32Array | BigInt64Array, values?: ArrayBufferView, children?: Data[]): Data =>
    new Data(type, 0, length, nullCount, [offsets, values, validity] as BufferList, children);
  switch (layout.kind) {
    case 'bits':
      return build(undefined, truthsOf(places));
    case 'fixed':
      return build(undefined, typed(type, fixedOf(places, layout.bytes)));
    case 'variable': {
      const { offsets, bytes } = variableOf(places);
      return build(layout.wide ? BigInt64Array.from(offsets, BigInt) : offsets, bytes);
    }
    case 'list': {
      const offsets = new Int32Array(length + 1);
      const items = places.flatMap((place, i) => {
        const count = place === null ? 0 : takeCount(place);
        offsets[i + 1] = offsets[i]! + count;
        return place === null ? [] : skipItems(childFields(type)[0]!.type, place, count);
      });
      const child = columnOf(childFields(type)[0]!.type, items);
      return build(layout.wide ? BigInt64Array.from(offsets, BigInt) : offsets, undefined, [child]);
    }
    case 'fixedList': {
      const item = childFields(type)[0]!.type;
      const items = places.flatMap((place) =>
        place === null ? Array.from({ length: layout.size }, () => null) : skipItems(item, place, layout.size),
      );
      return build(undefined, undefined, [columnOf(item, items)]);
    }
    case 'struct': {
      const members = childFields(type).map((field) => {
        const cells = places.map((place) => (place === null ? null : (skipItems(field.type, place, 1)[0] ?? null)));
        return columnOf(field.type, cells);
      });
      return build(undefined, undefined, members);
    }
  }
}

type BufferList = ConstructorParameters<typeof Data>[4];

/** The places of the next `count` nested cells; `place` is moved behind them. */
function skipItems(type: DataType, place: NonNullable<CellPlace>, count: number): CellPlace[] {
  return Array.from({ length: count }, () => {
    const there = place.bytes[place.at++] === 1;
    if (!there) return null;
    const item = { bytes: place.bytes, at: place.at };
    skipCell(type, place);
    return item;
  });
}

function skipCell(type: DataType, place: NonNullable<CellPlace>): void {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'null':
      return;
    case 'bits':
      place.at += 1;
      return;
    case 'fixed':
      place.at += layout.bytes;
      return;
    case 'variable': {
      const length = takeCount(place);
      place.at += length;
      return;
    }
    case 'list':
      skipItems(childFields(type)[0]!.type, place, takeCount(place));
      return;
    case 'fixedList':
      skipItems(childFields(type)[0]!.type, place, layout.size);
      return;
    case 'struct':
      for (const field of childFields(type)) skipItems(field.type, place, 1);
  }
}

function takeCount(place: NonNullable<CellPlace>): number {
  const count = place.bytes.readUInt32LE(place.at);
  place.at += 4;
  return count;
}

function validityOf(places: CellPlace[]): { validity: Uint8Array | undefined; nullCount: number } {
  let nullCount = 0;
  for (const place of places) if (place === null) nullCount++;
  if (nullCount === 0) return { validity: undefined, nullCount };
  const validity = new Uint8Array(bitmapBytes(places.length));
  places.forEach((place, i) => {
    if (place !== null) validity[i >> 3]! |= 1 << (i & 7);
  });
  return { validity, nullCount };
}

function truthsOf(places: CellPlace[]): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(places.length));
  places.forEach((place, i) => {
    if (place !== null && place.bytes[place.at] === 1) bits[i >> 3]! |= 1 << (i & 7);
  });
  return bits;
}

/** In memory of its own, so that a typed array over it is aligned. */
function fixedOf(places: CellPlace[], width: number): Uint8Array {
  const values = new Uint8Array(places.length * width);
  places.forEach((place, i) => {
    if (place !== null) values.set(place.bytes.subarray(place.at, place.at + width), i * width);
  });
  return values;
}

function variableOf(places: CellPlace[]): { offsets: Int32Array; bytes: Uint8Array } {
  const offsets = new Int32Array(places.length + 1);
  places.forEach((place, i) => {
    offsets[i + 1] = offsets[i]! + (place === null ? 0 : place.bytes.readUInt32LE(place.at));
  });
  const bytes = new Uint8Array(offsets[places.length]!);
  places.forEach((place, i) => {
    if (place === null) return;
    const start = place.at + 4;
    bytes.set(place.bytes.subarray(start, start + offsets[i + 1]! - offsets[i]!), offsets[i]);
  });
  return { offsets, bytes };
}

function typed(type: DataType, bytes: Uint8Array): ArrayBufferView {
  const View: TypedArrayOf = type.ArrayType;
  return new View(bytes.buffer, 0, bytes.byteLength / View.BYTES_PER_ELEMENT);
}

interface TypedArrayOf {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
}

function isValid(data: Data, row: number): boolean {
  if (layoutOf(data.type).kind === 'null') return false;
  return data.nullCount === 0 || bitAt(data.nullBitmap, data.offset + row);
}

function bytesOf(values: ArrayBufferView | undefined): Uint8Array {
  if (values === undefined) return new Uint8Array(0);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
