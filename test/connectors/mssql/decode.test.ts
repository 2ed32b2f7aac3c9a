/** The decoder alone: any rows, any packets, any batches give exactly the values. */
import { Field, Schema, type Vector } from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderCell } from '../../../connectors/conformance/render.ts';
import { RowDecoder } from '../../../connectors/mssql/decode.ts';
import { arrowTypeOf, type Mapping } from '../../../connectors/mssql/types.ts';
import * as tokens from '../../support/tds/tokens.ts';
import * as tds from '../../support/tds/types.ts';
import { shownBit, shownBytes, shownTime } from './cases.ts';

interface Kind {
  mapping: Mapping;
  type: tds.TdsType;
  values: fc.Arbitrary<string>;
  expected?: (value: string) => string;
}

const integers = (bits: number) => fc.bigInt(-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n).map(String);
const native = (codec: Mapping['codec'], scale?: number, precision?: number): Mapping => ({
  codec,
  cast: 'none',
  ...(scale === undefined ? {} : { scale }),
  ...(precision === undefined ? {} : { precision }),
});

function decimals(precision: number, scale: number): Kind {
  const values = fc.bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n).map((value) => {
    const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
    const point = digits.length - scale;
    return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
  });
  return { mapping: native('decimal', scale, precision), type: tds.decimal(precision, scale), values };
}

const days = fc
  .integer({ min: 0, max: 3_652_058 })
  .map((day) => new Date(Date.parse('0001-01-01T00:00:00Z') + day * 86_400_000).toISOString().slice(0, 10));

function clocks(scale: number): fc.Arbitrary<string> {
  return fc
    .tuple(fc.integer({ min: 0, max: 86_399 }), fc.integer({ min: 0, max: 10 ** scale - 1 }))
    .map(([second, rest]) => {
      const clock = new Date(second * 1000).toISOString().slice(11, 19);
      return scale === 0 ? clock : `${clock}.${String(rest).padStart(scale, '0')}`;
    });
}

const text = fc.string({ unit: 'binary', maxLength: 200 });
const bytes = fc.uint8Array({ maxLength: 50 }).map((value) => `0x${Buffer.from(value).toString('hex')}`);

const kinds: Kind[] = [
  { mapping: native('bit'), type: tds.bit(), values: fc.constantFrom('0', '1'), expected: shownBit },
  { mapping: native('tinyint'), type: tds.integer(1), values: fc.integer({ min: 0, max: 255 }).map(String) },
  { mapping: native('smallint'), type: tds.integer(2), values: integers(16) },
  { mapping: native('int'), type: tds.integer(4), values: integers(32) },
  { mapping: native('bigint'), type: tds.integer(8), values: integers(64) },
  {
    mapping: native('float'),
    type: tds.float(),
    values: fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  },
  decimals(9, 0),
  decimals(19, 4),
  decimals(28, 10),
  decimals(38, 38),
  { mapping: native('date'), type: tds.date(), values: days },
  ...[0, 3, 5, 7].map((scale) => ({
    mapping: native('time', scale),
    type: tds.time(scale),
    values: clocks(scale),
    expected: shownTime,
  })),
  ...[0, 2, 4, 6].map((scale) => ({
    mapping: native('datetime2', scale),
    type: tds.datetime2(scale),
    values: fc.tuple(days, clocks(scale)).map((parts) => parts.join(' ')),
    expected: shownTime,
  })),
  { mapping: native('uniqueidentifier'), type: tds.uniqueidentifier(), values: fc.uuid() },
  { mapping: native('nchar'), type: tds.nvarchar(400), values: text },
  { mapping: native('nchar'), type: tds.nvarchar('max', 5), values: text },
  { mapping: native('nchar'), type: tds.ntext(), values: text },
  {
    mapping: { ...native('char'), encoding: 'utf-8' },
    type: tds.varchar(8000, tds.utf8Collation, Buffer.from),
    values: text,
  },
  { mapping: native('bytes'), type: tds.varbinary(50), values: bytes, expected: shownBytes },
  { mapping: native('bytes'), type: tds.varbinary('max', 3), values: bytes, expected: shownBytes },
  { mapping: native('bytes'), type: tds.image(), values: bytes, expected: shownBytes },
];

interface Sample {
  kinds: Kind[];
  rows: { cells: (string | null)[]; isNbc: boolean }[];
}

function samples(columns: { minLength: number; maxLength: number }, rowsMax: number): fc.Arbitrary<Sample> {
  return fc.array(fc.integer({ min: 0, max: kinds.length - 1 }), columns).chain((indexes) => {
    const chosen = indexes.map((index) => kinds[index] as Kind);
    const cells = fc.tuple(...chosen.map(({ values }) => fc.option(values, { freq: 4 })));
    const row = fc.record({ cells, isNbc: fc.boolean() });
    return fc.record({ kinds: fc.constant(chosen), rows: fc.array(row, { minLength: 1, maxLength: rowsMax }) });
  });
}

/** Feeds the rows in packets of the given sizes, again and again, and reads every batch. */
function decode(sample: Sample, sizes: number[], batchRowsMax: number, batchBytesMax: number): (string | null)[][] {
  const columns = sample.kinds.map(({ type }, i) => ({ name: `c${i}`, type }));
  const encode = ({ cells, isNbc }: Sample['rows'][number]) => (isNbc ? tokens.nbcRow : tokens.row)(columns, cells);
  const bytesSent = Buffer.concat([tokens.colMetadata(columns), ...sample.rows.map(encode)]);
  const schema = new Schema(sample.kinds.map(({ mapping }, i) => new Field(`c${i}`, arrowTypeOf(mapping), true)));
  const decoded = sample.kinds.map(({ mapping }, i) => ({ name: `c${i}`, mapping, wire: i, typeInfo: '' }));
  const decoder = new RowDecoder(schema, decoded, { batchRowsMax, batchBytesMax }, 'test');
  const rows: (string | null)[][] = [];
  const takeBatch = () => {
    const { batch, unrepresentable } = decoder.batch();
    expect(unrepresentable).toEqual([]);
    const vectors = sample.kinds.map((_, i) => batch.getChildAt(i) as Vector);
    for (let row = 0; row < batch.numRows; row++) rows.push(vectors.map((vector) => renderCell(vector, row)));
    decoder.reset();
  };
  for (let at = 0, i = 0; at < bytesSent.length; i++) {
    const size = sizes[i % sizes.length] as number;
    decoder.take(bytesSent.subarray(at, at + size), () => {});
    at += size;
    do {
      if (decoder.full) takeBatch();
      decoder.decode(() => {});
    } while (decoder.full);
  }
  takeBatch();
  expect(decoder.left).toBe(0);
  return rows;
}

function expectedOf({ kinds: chosen, rows }: Sample): (string | null)[][] {
  return rows.map(({ cells }) =>
    cells.map((cell, i) => (cell === null ? null : (chosen[i]?.expected?.(cell) ?? cell))),
  );
}

test('any rows of any types, in ROW and NBCROW, cut anywhere, decode to their values', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      samples({ minLength: 6, maxLength: 40 }, 12),
      sizes,
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(1, 2_000, 1e7),
      (sample, packets, batchRowsMax, batchBytesMax) => {
        expect(decode(sample, packets, batchRowsMax, batchBytesMax)).toEqual(expectedOf(sample));
      },
    ),
    { numRuns: 150 },
  );
});

test('as many columns as there may be', () => {
  fc.assert(
    fc.property(
      samples({ minLength: 768, maxLength: 768 }, 4),
      fc.integer({ min: 100, max: 32_759 }),
      (sample, size) => {
        expect(decode(sample, [size], 3, 1e7)).toEqual(expectedOf(sample));
      },
    ),
    { numRuns: 4 },
  );
});

test('a row beyond a mebibyte is taken cell by cell, and what follows it as ever', () => {
  const large: Kind = { mapping: native('nchar'), type: tds.nvarchar('max', 7_999), values: text };
  const chosen = [...kinds, large, ...kinds, { ...large, type: tds.ntext() }, ...kinds];
  const long = '长文本 😀 and ASCII '.repeat(50_000);
  const valuesOf = (seed: number) => chosen.map((kind) => fc.sample(kind.values, { seed, numRuns: 1 })[0] as string);
  const withLong = (cells: (string | null)[]) =>
    cells.map((cell, i) => (chosen[i]?.mapping === large.mapping ? long : cell));
  for (const isNbc of [false, true]) {
    const cells = [withLong(valuesOf(1)), chosen.map(() => null), withLong(chosen.map(() => null)), valuesOf(2)];
    const sample = { kinds: chosen, rows: cells.map((row) => ({ cells: row, isNbc })) };
    for (const size of [4_088, 32_759]) {
      expect(decode(sample, [size, 17, 1], 100, 1e9)).toEqual(expectedOf(sample));
    }
  }
});

test('text that is none is null and reported, its neighbours stay', () => {
  const broken: [string, tds.TdsType, Mapping][] = [
    ['61d8', tds.varbinary(10), native('nchar')],
    ['00dc6100', tds.varbinary('max', 1), native('nchar')],
    [`00d8${'6100'.repeat(100)}`, tds.varbinary(300), native('nchar')],
    ['ff', tds.varbinary(10), { ...native('char'), encoding: 'utf-8' }],
    ['6181', tds.varbinary(10), { ...native('char'), encoding: 'gbk' }],
  ];
  const columns = broken.map(([, type], i) => ({ name: `c${i}`, type }));
  const schema = new Schema(broken.map(([, , mapping], i) => new Field(`c${i}`, arrowTypeOf(mapping), true)));
  const decoded = broken.map(([, , mapping], i) => ({ name: `c${i}`, mapping, wire: i, typeInfo: '' }));
  const decoder = new RowDecoder(schema, decoded, { batchRowsMax: 10, batchBytesMax: 1e6 }, 'test');
  const good = broken.map(([, , { codec }]) => (codec === 'nchar' ? '0x6100' : '0x61'));
  const rows = [good, broken.map(([hex]) => `0x${hex}`), good];
  decoder.take(Buffer.concat([tokens.colMetadata(columns), ...rows.map((row) => tokens.row(columns, row))]), () => {});
  decoder.decode(() => {});
  const { batch, unrepresentable } = decoder.batch();
  expect(unrepresentable).toEqual(broken.map((_, column) => ({ row: 1, column, code: 'INVALID_TEXT' })));
  for (let i = 0; i < broken.length; i++) expect([...(batch.getChildAt(i) as Vector)]).toEqual(['a', null, 'a']);
});
