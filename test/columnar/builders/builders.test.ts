import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float64,
  Int32,
  Int64,
  List,
  RecordBatchStreamWriter,
  Schema,
  TimestampMicrosecond,
  tableFromIPC,
  Uint64,
  Utf8,
  Utf8View,
  Vector,
} from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type BoolBuilder,
  type ByteSource,
  type BytesBuilder,
  builderFor,
  type ColumnBuilder,
  type Decimal128Builder,
  type FixedSizeBinaryBuilder,
  finishBatch,
  type Int64Builder,
  type ListBuilder,
  type NumberBuilder,
} from '../../../columnar/builders/index.ts';

/** fast-check prints the seed of a run that fails. */
const property = { numRuns: 40, verbose: 1 };

/** A source with the slack that builders may read. */
function sourceOf(bytes: Uint8Array): ByteSource {
  const padded = new Uint8Array(bytes.length + 3);
  padded.set(bytes);
  return { bytes: padded, view: new DataView(padded.buffer) };
}

function appendText(builder: BytesBuilder, text: string): void {
  const bytes = Buffer.from(text);
  builder.append(sourceOf(bytes), 0, bytes.length);
}

function appendInt64(builder: Int64Builder, value: bigint): void {
  builder.append(Number(value >> 32n), Number(value & 0xffffffffn));
}

/** Base 10000 digits of |unscaled| / 10^scale, as a database sends them: no leading and no trailing zero groups. */
function base10000(unscaled: bigint, scale: number): { digits: number[]; weight: number } {
  const fraction = Math.ceil(scale / 4);
  let rest = (unscaled < 0n ? -unscaled : unscaled) * 10n ** BigInt(fraction * 4 - scale);
  const digits: number[] = [];
  for (; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n));
  const weight = digits.length - 1 - fraction;
  while (digits.at(-1) === 0) digits.pop();
  return { digits, weight: digits.length === 0 ? 0 : weight };
}

interface Family {
  type: DataType;
  cell: fc.Arbitrary<unknown>;
  append(builder: ColumnBuilder, cell: never): void;
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const families: Family[] = [
  { type: new Bool(), cell: fc.boolean(), append: (b, cell: boolean) => (b as BoolBuilder).append(cell) },
  { type: new Int32(), cell: fc.integer(), append: (b, cell: number) => (b as NumberBuilder).append(cell) },
  { type: new Float64(), cell: fc.double(), append: (b, cell: number) => (b as NumberBuilder).append(cell) },
  { type: new Int64(), cell: int64, append: (b, cell: bigint) => appendInt64(b as Int64Builder, cell) },
  {
    type: new Uint64(),
    cell: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    append: (b, cell: bigint) => appendInt64(b as Int64Builder, cell),
  },
  {
    type: new Utf8(),
    cell: fc.string({ unit: 'grapheme', maxLength: 90 }),
    append: (b, cell: string) => appendText(b as BytesBuilder, cell),
  },
  {
    type: new Binary(),
    cell: fc.uint8Array({ maxLength: 90 }),
    append: (b, cell: Uint8Array) => (b as BytesBuilder).append(sourceOf(cell), 0, cell.length),
  },
  {
    type: new FixedSizeBinary(16),
    cell: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    append: (b, cell: Uint8Array) => (b as FixedSizeBinaryBuilder).append(sourceOf(cell), 0),
  },
];

/** Through IPC, so that what others read is compared, not our own view of memory. */
async function roundTrip(builder: ColumnBuilder): Promise<unknown[]> {
  const schema = new Schema([new Field('c', builder.type, true)]);
  const batch = finishBatch(schema, [builder], builder.length);
  const stream = RecordBatchStreamWriter.writeAll([batch]);
  return Array.from(tableFromIPC(await stream.toUint8Array()).getChild('c') ?? []);
}

test.each(families.map((family) => [String(family.type), family] as const))(
  '%s keeps cells and nulls, batch after batch',
  async (_, family) => {
    const builder = builderFor(family.type);
    const cells = fc.array(fc.option(family.cell), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(cells, async (values) => {
        builder.reset();
        for (const value of values) value === null ? builder.appendNull() : family.append(builder, value as never);
        expect(await roundTrip(builder)).toEqual(values);
        expect(builder.nullCount).toBe(values.filter((value) => value === null).length);
      }),
      property,
    );
  },
);

test('memory grows with the cells, and null slots are zero in memory that was used before', () => {
  const builder = builderFor(new Int32()) as NumberBuilder;
  for (let i = 0; i < 5_000; i++) builder.append(i + 1);
  expect(new Vector([builder.finish()]).toArray()).toEqual(Int32Array.from({ length: 5_000 }, (_, i) => i + 1));
  builder.reset();
  builder.appendNull();
  builder.append(7);
  const data = builder.finish();
  expect([...data.values]).toEqual([0, 7]);
  expect([...(data.nullBitmap ?? [])]).toEqual([0b11111110]);
  expect(builder.byteLength).toBe(8);
});

test('decimals are exact for every precision and scale', () => {
  const shape = fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.record({ precision: fc.constant(precision), scale: fc.integer({ min: 0, max: precision }) }),
    );
  const input = shape.chain(({ precision, scale }) => {
    const max = 10n ** BigInt(precision) - 1n;
    return fc.record({
      precision: fc.constant(precision),
      scale: fc.constant(scale),
      value: fc.bigInt({ min: -max, max }),
    });
  });
  fc.assert(
    fc.property(input, ({ precision, scale, value }) => {
      const builder = builderFor(new Decimal(scale, precision, 128)) as Decimal128Builder;
      const { digits, weight } = base10000(value, scale);
      expect(builder.appendBase10000(digits, digits.length, weight, value < 0n)).toBe(true);
      expect(decimalOf(builder)).toBe(value);
    }),
    { ...property, numRuns: 500 },
  );
});

test('a decimal that does not fit is refused, not rounded', () => {
  const builder = builderFor(new Decimal(2, 4, 128)) as Decimal128Builder;
  const wide = builderFor(new Decimal(2, 20, 128)) as Decimal128Builder;
  for (const decimal of [builder, wide]) {
    expect(decimal.appendBase10000([99, 9900], 2, 0, false)).toBe(true);
    expect(decimal.appendBase10000([99, 5000], 2, 0, false)).toBe(true);
    expect(decimal.appendBase10000([99, 9950], 2, 0, false)).toBe(false);
    expect(decimal.appendBase10000([1, 0, 1], 3, 0, false)).toBe(false);
    expect(decimal.appendBase10000([1], 1, 30_000, false)).toBe(false);
    expect(decimal.appendBase10000([1], 1, -2, false)).toBe(false);
    expect(decimal.length).toBe(2);
  }
  expect(builder.appendBase10000([100], 1, 0, false)).toBe(false);
  expect(wide.appendBase10000([100], 1, 0, false)).toBe(true);
});

function decimalOf(builder: Decimal128Builder): bigint {
  const words = builder.finish().values as Uint32Array;
  const value = [3, 2, 1, 0].reduce((sum, i) => (sum << 32n) | BigInt(words[i] as number), 0n);
  return BigInt.asIntN(128, value);
}

test('an abandoned list leaves nothing behind', async () => {
  const type = new List(new Field('item', new Utf8(), true));
  const builder = builderFor(type) as ListBuilder<BytesBuilder>;
  appendText(builder.elements, 'kept');
  builder.elements.appendNull();
  builder.appendList();
  appendText(builder.elements, 'dropped');
  builder.elements.appendNull();
  builder.abandonList();
  builder.appendNull();
  builder.appendList();
  const lists = await roundTrip(builder);
  expect(lists.map((list) => (list === null ? null : [...(list as Vector)]))).toEqual([['kept', null], null, []]);
  expect(builder.elements.nullCount).toBe(1);
});

test('dates and timestamps are plain numbers; a type without a builder is named', () => {
  const date = builderFor(new DateDay()) as NumberBuilder;
  date.append(-1);
  expect([...date.finish().values]).toEqual([-1]);
  const timestamp = builderFor(new TimestampMicrosecond('UTC')) as Int64Builder;
  appendInt64(timestamp, -1n);
  expect([...timestamp.finish().values]).toEqual([-1n]);
  expect(() => builderFor(new Utf8View())).toThrow(/no column builder makes the Arrow type Utf8View/);
});
