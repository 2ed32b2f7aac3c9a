/** Batches of every type that parts carry, and cells as plain values, for the tests of `columnar/`. */
import {
  Binary,
  Bool,
  CompressionType,
  compressionRegistry,
  type Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DurationMicrosecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalMonthDayNano,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { decompress } from 'zstd-napi';
import { BodyBuffers, PartWriter } from '../../columnar/write.ts';

const word = (value: bigint) => Uint32Array.from([0, 1, 2, 3], (i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
const bytes = (text: string) => new TextEncoder().encode(text);
const point = new Struct([new Field('x', new Int32(), true), new Field('名', new Utf8(), true)]);

/** By type: null, empty or zero, minimum, maximum, something ordinary. */
export const samples: Record<string, { type: DataType; values: unknown[] }> = {
  null: { type: new Null(), values: [null, null, null, null, null] },
  bool: { type: new Bool(), values: [null, false, true, true, false] },
  int8: { type: new Int8(), values: [null, 0, -128, 127, 5] },
  int16: { type: new Int16(), values: [null, 0, -32_768, 32_767, 5] },
  int32: { type: new Int32(), values: [null, 0, -(2 ** 31), 2 ** 31 - 1, 5] },
  int64: { type: new Int64(), values: [null, 0n, -(2n ** 63n), 2n ** 63n - 1n, 5n] },
  uint8: { type: new Uint8(), values: [null, 0, 0, 255, 5] },
  uint16: { type: new Uint16(), values: [null, 0, 0, 65_535, 5] },
  uint32: { type: new Uint32(), values: [null, 0, 0, 2 ** 32 - 1, 5] },
  uint64: { type: new Uint64(), values: [null, 0n, 0n, 2n ** 64n - 1n, 5n] },
  float32: { type: new Float32(), values: [null, 0, -Infinity, Infinity, 0.5] },
  float64: { type: new Float64(), values: [null, -0, -Number.MAX_VALUE, Number.MAX_VALUE, 0.1] },
  decimal128: {
    type: new Decimal(2, 38, 128),
    values: [null, word(0n), word(-(10n ** 38n) + 1n), word(10n ** 38n - 1n), word(1750n)],
  },
  date32: { type: new DateDay(), values: [null, 0, -719_162, 2_932_896, 1].map(dayOf) },
  date64: { type: new DateMillisecond(), values: [null, 0, -719_162, 2_932_896, 1].map(dayOf) },
  time64: { type: new TimeMicrosecond(), values: [null, 0n, 0n, 86_399_999_999n, 5n] },
  timestamp: { type: new TimestampMicrosecond('UTC'), values: [null, 0, -62_135_596_800_000, 253_402_300_799_000, 5] },
  duration: { type: new DurationMicrosecond(), values: [null, 0n, -(2n ** 62n), 2n ** 62n, 5n] },
  utf8: { type: new Utf8(), values: [null, '', '龙华区', 'x'.repeat(3_000), '😀 é'] },
  largeUtf8: { type: new LargeUtf8(), values: [null, '', '龙华区', 'x'.repeat(3_000), '😀 é'] },
  binary: { type: new Binary(), values: [null, bytes(''), bytes('\0'), bytes('y'.repeat(500)), bytes('a')] },
  largeBinary: { type: new LargeBinary(), values: [null, bytes(''), bytes('\0'), bytes('y'.repeat(500)), bytes('a')] },
  uuid: {
    type: new FixedSizeBinary(4),
    values: [null, bytes('\0\0\0\0'), bytes('abcd'), bytes('~~~~'), bytes('1234')],
  },
  list: { type: new List(new Field('item', new Utf8(), true)), values: [null, [], ['a', null], ['', '汇通'], ['z']] },
  fixedList: {
    type: new FixedSizeList(2, new Field('item', new Int32(), true)),
    values: [null, [0, null], [1, 2], [-1, -2], [3, 4]],
  },
  struct: {
    type: point,
    values: [null, { x: null, 名: '' }, { x: -1, 名: '甲' }, { x: 2, 名: null }, { x: 3, 名: 'c' }],
  },
  structs: {
    type: new List(new Field('item', point, true)),
    values: [
      null,
      [],
      [{ x: 1, 名: 'a' }],
      [
        { x: 2, 名: null },
        { x: 3, 名: '乙' },
      ],
      [{ x: null, 名: '' }],
    ],
  },
};

function dayOf(day: number | null): Date | null {
  return day === null ? null : new Date(day * 86_400_000);
}

/** Types that `vectorFromArray` cannot build. */
export function intervalData(): Data {
  const data = Int32Array.of(0, 0, 0, 0, 14, -3, 1_000, 0, -1, 1, -1, -1);
  return makeData({ type: new IntervalMonthDayNano(), length: 3, nullCount: 1, nullBitmap: Uint8Array.of(6), data });
}

export function mapData(): Data {
  const entries = new Struct<{ key: Utf8; value: Int32 }>([
    new Field('key', new Utf8(), false),
    new Field('value', new Int32(), true),
  ]);
  const children = [column(new Utf8(), ['a', 'b', '丙']), column(new Int32(), [1, null, 3])];
  const child = makeData({ type: entries, length: 3, children });
  const type = new Map_(new Field('entries', entries, false));
  return makeData({
    type,
    length: 3,
    nullCount: 1,
    nullBitmap: Uint8Array.of(5),
    valueOffsets: Int32Array.of(0, 2, 2, 3),
    child,
  });
}

export function column(type: DataType, values: unknown[]): Data {
  if (values.length === 0) return batchOf({ only: column(type, [null]) }).slice(0, 0).data.children[0]!;
  return vectorFromArray(values, type).data[0]!;
}

export function batchOf(columns: Record<string, Data>): RecordBatch {
  const fields = Object.entries(columns).map(([name, data]) => new Field(name, data.type, true));
  const children = Object.values(columns);
  const length = children[0]?.length ?? 0;
  return new RecordBatch(new Schema(fields), makeData({ type: new Struct(fields), length, nullCount: 0, children }));
}

/** One batch with every sample, its rows repeated or cut to `rows`. */
export function sampleBatch(rows: number, names = Object.keys(samples)): RecordBatch {
  return batchOf(
    Object.fromEntries(
      names.map((name) => {
        const { type, values } = samples[name]!;
        return [
          name,
          column(
            type,
            Array.from({ length: rows }, (_, row) => values[(row * 3 + 1) % values.length]),
          ),
        ];
      }),
    ),
  );
}

/** Cells as text that compares exactly; rows of columns. */
export function cells(batch: RecordBatch): string[][] {
  const columns = batch.schema.fields.map((_, i) => batch.getChildAt(i)!);
  return Array.from({ length: batch.numRows }, (_, row) => columns.map((vector) => plain(vector.get(row))));
}

function plain(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    if (ArrayBuffer.isView(inner)) return Array.from(inner as Uint8Array, Number);
    return inner;
  });
}

/** apache-arrow's own reader needs a codec; a copy, because it needs aligned memory and small buffers share one. */
compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => new Uint8Array(decompress(data)) });

export function writePart(
  batches: RecordBatch[],
  schema = batches[0]!.schema,
  buffers = new BodyBuffers(),
): Uint8Array {
  const writer = new PartWriter(schema, buffers);
  const chunks = writer.start();
  // The writer uses its buffers again.
  for (const batch of batches) chunks.push(...writer.batch(batch).map((chunk) => chunk.slice()));
  chunks.push(...writer.end());
  return new Uint8Array(Buffer.concat(chunks));
}
