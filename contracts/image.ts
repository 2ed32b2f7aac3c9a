/**
 * The JSON image of Arrow: what a row looks like to a contract, and to a reader of JSON lines or CSV.
 * The table is in docs/reference/json-image.md; tests compare the two.
 */

import type { Decimal, FixedSizeBinary, Int, Schema, Time, Timestamp } from 'apache-arrow';
import { type Data, type DataType, type Field, TimeUnit, Type } from 'apache-arrow';
import { HuitongError, type Problem } from '../lib/errors.ts';
import { dateText, timestampText, timeText } from './civil.ts';
import { decimalText, ExactNumber, type ImageNumber, imageNumber } from './exact.ts';
import { pointerTo } from './pointer.ts';

export type ImageValue = null | boolean | string | ImageNumber | ImageValue[] | { [name: string]: ImageValue };

/** How one Arrow type's cells look. `row` counts from the start of the `Data`, slices included. */
export interface CellImage {
  /** The JSON type of every non-null cell. */
  readonly jsonType: 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
  /** The cell as ajv sees it. */
  value(data: Data, row: number): ImageValue;
  /** The cell as JSON text, exact. */
  text(data: Data, row: number): string;
}

export type RowImage = Record<string, ImageValue>;

const fractionDigitsOf: Record<TimeUnit, number> = {
  [TimeUnit.SECOND]: 0,
  [TimeUnit.MILLISECOND]: 3,
  [TimeUnit.MICROSECOND]: 6,
  [TimeUnit.NANOSECOND]: 9,
};

/** Digits after the second's point in a time or timestamp of this unit. */
export function fractionDigits(unit: TimeUnit): number {
  return fractionDigitsOf[unit];
}

export function isUuid(field: Field): boolean {
  return field.metadata.get('ARROW:extension:name') === 'arrow.uuid' && field.type.typeId === Type.FixedSizeBinary;
}

const decoder = new TextDecoder();

function stringImage(read: (data: Data, row: number) => string): CellImage {
  const text = (data: Data, row: number) => JSON.stringify(read(data, row));
  return { jsonType: 'string', value: read, text };
}

function integerImage(type: Int): CellImage {
  const text = (data: Data, row: number) => String(data.values[row]);
  if (type.bitWidth < 64) {
    return { jsonType: 'integer', value: (data, row) => data.values[row], text };
  }
  const value = (data: Data, row: number): ImageNumber => {
    const cell: bigint = data.values[row];
    return cell >= -9_007_199_254_740_991n && cell <= 9_007_199_254_740_991n ? Number(cell) : new ExactNumber(cell, 0);
  };
  return { jsonType: 'integer', value, text };
}

/** NaN and infinities have no JSON number: their images are the strings `NaN`, `Infinity` and `-Infinity`. */
const floatImage: CellImage = {
  jsonType: 'number',
  value: (data, row) => (Number.isFinite(data.values[row]) ? data.values[row] : String(data.values[row])),
  text: (data, row) => (Number.isFinite(data.values[row]) ? String(data.values[row]) : `"${data.values[row]}"`),
};

const boolImage: CellImage = {
  jsonType: 'boolean',
  value: boolAt,
  text: (data, row) => (boolAt(data, row) ? 'true' : 'false'),
};

function boolAt(data: Data, row: number): boolean {
  const bit = data.offset + row;
  return ((data.values[bit >> 3] >> (bit & 7)) & 1) === 1;
}

/** The unscaled integer of a decimal128 cell: four little-endian 32-bit words. */
export function unscaledAt(words: Uint32Array, row: number): bigint {
  const at = row * 4;
  const low = (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  const high = (BigInt(words[at + 3]!) << 32n) | BigInt(words[at + 2]!);
  return (BigInt.asIntN(64, high) << 64n) | low;
}

function decimalImage(type: Decimal): CellImage {
  return {
    jsonType: type.scale === 0 ? 'integer' : 'number',
    value: (data, row) => imageNumber(unscaledAt(data.values, row), type.scale),
    text: (data, row) => decimalText(unscaledAt(data.values, row), type.scale),
  };
}

function timestampImage(type: Timestamp): CellImage {
  const digits = fractionDigits(type.unit);
  const suffix = type.timezone ? 'Z' : '';
  return stringImage((data, row) => timestampText(data.values[row], digits) + suffix);
}

function timeImage(type: Time): CellImage {
  const digits = fractionDigits(type.unit);
  const perSecond = 10 ** digits;
  return stringImage((data, row) => {
    const ticks = Number(data.values[row]);
    return timeText(Math.floor(ticks / perSecond), ticks % perSecond, digits);
  });
}

function utf8At(data: Data, row: number): string {
  return decoder.decode(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function uuidAt(data: Data, row: number): string {
  const hex = Buffer.from(data.values.buffer, data.values.byteOffset + row * 16, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function fixedBinaryImage(field: Field): CellImage {
  if (isUuid(field)) {
    return stringImage(uuidAt);
  }
  const width = (field.type as FixedSizeBinary).byteWidth;
  return stringImage((data, row) => base64(data.values.subarray(row * width, (row + 1) * width)));
}

function listImage(field: Field): CellImage | null {
  const child = cellImage(field.type.children[0]!);
  if (child === null) {
    return null;
  }
  const cells = <T>(data: Data, row: number, read: (items: Data, item: number) => T): T[] => {
    const items = data.children[0]!;
    const out: T[] = [];
    for (let i = data.valueOffsets[row]!; i < data.valueOffsets[row + 1]!; i++) {
      out.push(read(items, i));
    }
    return out;
  };
  return {
    jsonType: 'array',
    value: (data, row) => cells(data, row, (items, i) => (items.getValid(i) ? child.value(items, i) : null)),
    text: (data, row) => `[${cells(data, row, (items, i) => (items.getValid(i) ? child.text(items, i) : 'null'))}]`,
  };
}

function structImage(field: Field): CellImage | null {
  const names = field.type.children.map((f: Field) => f.name);
  const images = field.type.children.map((f: Field) => cellImage(f));
  if (images.includes(null)) {
    return null;
  }
  const children = images as CellImage[];
  return {
    jsonType: 'object',
    value: (data, row) =>
      Object.fromEntries(
        children.map((image, i) => {
          const child = data.children[i]!;
          return [names[i], child.getValid(row) ? image.value(child, row) : null];
        }),
      ),
    text: (data, row) => {
      const members = children.map((image, i) => {
        const child = data.children[i]!;
        return `${JSON.stringify(names[i])}:${child.getValid(row) ? image.text(child, row) : 'null'}`;
      });
      return `{${members}}`;
    },
  };
}

/** The image of a field's cells; null where its Arrow type has none (json-image.md lists those that have). */
export function cellImage(field: Field): CellImage | null {
  const type: DataType = field.type;
  switch (type.typeId) {
    case Type.Int:
      return integerImage(type as Int);
    case Type.Float:
      return type.toString() === 'Float16' ? null : floatImage;
    case Type.Bool:
      return boolImage;
    case Type.Decimal:
      return (type as Decimal).bitWidth === 128 && (type as Decimal).scale >= 0 ? decimalImage(type as Decimal) : null;
    case Type.Utf8:
      return stringImage(utf8At);
    case Type.Binary:
      return stringImage((data, row) =>
        base64(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1])),
      );
    case Type.FixedSizeBinary:
      return fixedBinaryImage(field);
    case Type.Date:
      return type.toString() === 'Date32<DAY>' ? stringImage((data, row) => dateText(data.values[row])) : null;
    case Type.Timestamp:
      return timestampImage(type as Timestamp);
    case Type.Time:
      return timeImage(type as Time);
    case Type.List:
      return listImage(field);
    case Type.Struct:
      return structImage(field);
    default:
      return null;
  }
}

/** Every field's image. Throws TYPE_UNMAPPED naming each column whose Arrow type has none. */
export function cellImages(schema: Schema): CellImage[] {
  const images = schema.fields.map(cellImage);
  const problems: Problem[] = schema.fields
    .filter((_, i) => images[i] === null)
    .map((f) => ({
      code: 'TYPE_UNMAPPED',
      message: `the Arrow type ${f.type} of column "${f.name}" has no JSON image`,
      pointer: pointerTo('properties', f.name),
    }));
  if (problems.length > 0) {
    throw new HuitongError('TYPE_UNMAPPED', problems.map((p) => p.message).join('; '), { problems });
  }
  return images as CellImage[];
}

/**
 * Makes rows into the objects that ajv sees. A null cell is a member with the value null, never an absent member.
 * A column named `__proto__` would set the prototype; `compileContract` refuses it.
 */
export function rowImager(schema: Schema): (columns: readonly Data[], row: number) => RowImage {
  const images = cellImages(schema);
  const names = schema.fields.map((f) => f.name);
  return (columns, row) => {
    const image: RowImage = {};
    for (let c = 0; c < names.length; c++) {
      const data = columns[c]!;
      image[names[c]!] = data.getValid(row) ? images[c]!.value(data, row) : null;
    }
    return image;
  };
}

/** Makes rows into JSON objects as text, with every digit; one line, columns in the schema's order. */
export function rowTexter(schema: Schema): (columns: readonly Data[], row: number) => string {
  const images = cellImages(schema);
  const keys = schema.fields.map((f) => `${JSON.stringify(f.name)}:`);
  return (columns, row) => {
    let text = '{';
    for (let c = 0; c < keys.length; c++) {
      const data = columns[c]!;
      text += (c === 0 ? '' : ',') + keys[c]! + (data.getValid(row) ? images[c]!.text(data, row) : 'null');
    }
    return `${text}}`;
  };
}
