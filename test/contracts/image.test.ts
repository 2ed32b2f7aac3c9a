import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../contracts/exact.ts';
import { cellImage, cellImages, rowImager, rowTexter } from '../../contracts/image.ts';
import { batchOf, type TestColumn, uuidMetadata } from './support/batches.ts';

const column = (type: arrow.DataType, cell: unknown, metadata?: Map<string, string>): TestColumn => ({
  type,
  cells: [cell, null],
  metadata,
});
const uuid = Uint8Array.from(Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex'));
const leapDay = 1_709_200_800_000n;

/** By the first cell of the document's table. */
const examples: Record<string, TestColumn> = {
  Bool: column(new arrow.Bool(), true),
  Int8: column(new arrow.Int8(), -128),
  Int16: column(new arrow.Int16(), -32_768),
  Int32: column(new arrow.Int32(), -2_147_483_648),
  Int64: column(new arrow.Int64(), 2n ** 63n - 1n),
  Uint8: column(new arrow.Uint8(), 255),
  Uint16: column(new arrow.Uint16(), 65_535),
  Uint32: column(new arrow.Uint32(), 4_294_967_295),
  Uint64: column(new arrow.Uint64(), 2n ** 64n - 1n),
  Float32: column(new arrow.Float32(), 0.1),
  Float64: column(new arrow.Float64(), 0.1),
  'Decimal[10e+2]': column(new arrow.Decimal(2, 10), -1250n),
  Utf8: column(new arrow.Utf8(), '王小明'),
  Binary: column(new arrow.Binary(), Uint8Array.of(0, 255)),
  'FixedSizeBinary[2]': column(new arrow.FixedSizeBinary(2), Uint8Array.of(0, 255)),
  'arrow.uuid': column(new arrow.FixedSizeBinary(16), uuid, uuidMetadata),
  'Date32<DAY>': column(new arrow.DateDay(), 19_782),
  'Timestamp<MICROSECOND, UTC>': column(new arrow.TimestampMicrosecond('UTC'), leapDay * 1000n + 500_000n),
  'Timestamp<MILLISECOND>': column(new arrow.TimestampMillisecond(), leapDay + 500n),
  'Time64<MICROSECOND>': column(new arrow.TimeMicrosecond(), 36_000_000_001n),
  'List<Int32>': column(new arrow.List(new arrow.Field('item', new arrow.Int32(), true)), [1, null]),
  'Struct<{a:Utf8}>': column(new arrow.Struct([new arrow.Field('a', new arrow.Utf8(), true)]), { a: 'x' }),
};

const document = readFileSync(join(import.meta.dirname, '../../docs/reference/json-image.md'), 'utf8');
const table = [...document.matchAll(/^\| `([^`]+)` \| (\w+) \| `([^`]+)` \|/gm)].map(([, type, json, text]) => ({
  type: type!,
  json: json!,
  text: text!,
}));

it('is documented for every type that has an image', () => {
  expect(table.map((row) => row.type)).toEqual(Object.keys(examples));
});

describe.each(table)('$type', ({ type, json, text }) => {
  it('looks as the document says, and null as null', () => {
    const batch = batchOf({ x: examples[type]! });
    expect(cellImage(batch.schema.fields[0]!)?.jsonType).toBe(json);
    expect(rowTexter(batch.schema)(batch.data.children, 0)).toBe(`{"x":${text}}`);
    expect(rowTexter(batch.schema)(batch.data.children, 1)).toBe('{"x":null}');
  });

  it('is the same value for ajv', () => {
    const batch = batchOf({ x: examples[type]! });
    const { x } = rowImager(batch.schema)(batch.data.children, 0);
    const shown = x instanceof ExactNumber ? x.toString() : JSON.stringify(x);
    expect(JSON.parse(shown)).toEqual(JSON.parse(text));
    expect(rowImager(batch.schema)(batch.data.children, 1)).toEqual({ x: null });
  });
});

it('shows the extremes without losing a digit', () => {
  const show = (type: arrow.DataType, cell: unknown) => {
    const batch = batchOf({ x: { type, cells: [cell] } });
    return rowTexter(batch.schema)(batch.data.children, 0).slice(5, -1);
  };
  expect(show(new arrow.Int64(), -(2n ** 63n))).toBe('-9223372036854775808');
  expect(show(new arrow.Decimal(4, 38), 10n ** 37n + 1n)).toBe('1000000000000000000000000000000000.0001');
  expect(show(new arrow.Decimal(4, 38), -1n)).toBe('-0.0001');
  expect(show(new arrow.DateDay(), -719_529)).toBe('"-000001-12-31"');
  expect(show(new arrow.DateDay(), 2_932_897)).toBe('"+010000-01-01"');
  expect(show(new arrow.TimestampSecond(), -1n)).toBe('"1969-12-31T23:59:59"');
  expect(show(new arrow.TimestampNanosecond('UTC'), -1n)).toBe('"1969-12-31T23:59:59.999999999Z"');
  expect(show(new arrow.Float64(), Number.NaN)).toBe('"NaN"');
  expect(show(new arrow.Float64(), Number.NEGATIVE_INFINITY)).toBe('"-Infinity"');
});

it('names every column whose type has none', () => {
  const fields = [
    new arrow.Field('a', new arrow.DateMillisecond(), true),
    new arrow.Field('b', new arrow.Int8(), true),
  ];
  expect(() => cellImages(new arrow.Schema(fields))).toThrow(
    expect.objectContaining({
      code: 'TYPE_UNMAPPED',
      problems: [expect.objectContaining({ pointer: '/properties/a' })],
    }),
  );
});
