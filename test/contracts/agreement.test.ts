/** The column check and ajv give the same verdict on every row, and the same errors. */
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileContract, validateContract } from '../../contracts/compile.ts';
import { rowImager } from '../../contracts/image.ts';
import { createOracle } from '../../contracts/oracle.ts';
import { batchOf, contract, type TestColumn, uuidMetadata } from './support/batches.ts';

const rows = 24;
const nullable = <T>(cell: fc.Arbitrary<T>) => fc.option(cell, { nil: null, freq: 6 });
const cells = <T>(cell: fc.Arbitrary<T>) => fc.array(nullable(cell), { minLength: rows, maxLength: rows });

/** Values that meet bounds: few, close together, and the extremes. */
const int64 = fc.oneof(
  fc.bigInt(-12n, 12n),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 9_007_199_254_740_991n),
);
const unscaled = fc.oneof(fc.bigInt(-120n, 120n), fc.bigInt(-(10n ** 37n), 10n ** 37n), fc.constant(2n ** 63n));
const double = fc.oneof(
  fc.integer({ min: -120, max: 120 }).map((n) => n / 10),
  fc.integer({ min: -40, max: 40 }).map((n) => n / 4),
  fc.constantFrom(0.1 + 0.2, 1e21, 2 ** 53, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, -0),
  fc.double(),
);
const words = [
  '',
  'a',
  'ab',
  '王',
  '王小明',
  '😀',
  '440309',
  '13800138000',
  '11010519491231002X',
  '2024-02-30',
  '2024-02-29',
  '2024-02-29T10:00:00Z',
  '2024-02-29T10:00:00.5+08:00',
  '2024-02-29 10:00:00Z',
  '10:00:00',
  '12:60:00',
  '91350100M000100Y43',
  'a@b.cn',
  '127.0.0.1',
  '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  'NaN',
];
const word = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 5 }));

const bound = fc.oneof(
  fc.integer({ min: -12, max: 12 }),
  fc.integer({ min: -120, max: 120 }).map((n) => n / 10),
);
const typeLists = [
  ['integer', 'null'],
  ['number', 'null'],
  ['number'],
  ['integer'],
  ['string', 'null'],
  ['string'],
  ['boolean', 'null'],
  ['boolean'],
  ['null'],
];
const type = fc.constantFrom(...typeLists);
const numberKeyword = fc.oneof(
  fc.record({ minimum: bound }),
  fc.record({ maximum: bound, minimum: bound }),
  fc.record({ exclusiveMinimum: bound }),
  fc.record({ exclusiveMaximum: bound }),
  fc.record({ multipleOf: fc.constantFrom(0.01, 0.1, 0.5, 1, 2, 3, 0.3, 1e-7) }),
  fc.record({
    enum: fc.array(fc.oneof(bound, fc.constantFrom(null, 'x', 0.05, 2 ** 53)), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ const: fc.oneof(bound, fc.constant(null)) }),
);
const patterns = [
  '^a',
  'b$',
  '^[\\u4e00-\\u9fff]+$',
  '^\\d{6}$',
  '.',
  '\\s',
  '^$',
  '[^a]',
  '^(a|b)*$',
  '\\p{L}{2}',
  '^.{1,3}$|Z$',
];
const formatNames = [
  'date',
  'date-time',
  'local-date-time',
  'time',
  'local-time',
  'uuid',
  'resident-id',
  'social-credit-code',
  'mobile-number',
  'division-code',
  'email',
  'ipv4',
];
const limits = ['formatMinimum', 'formatMaximum', 'formatExclusiveMinimum', 'formatExclusiveMaximum'];
const limitTexts = {
  date: ['2024-02-29', '1969-12-31'],
  'date-time': ['2024-02-29T10:00:00Z', '1969-12-31T23:59:59.5+08:00'],
  'local-date-time': ['2024-02-29T10:00:00', '1969-12-31T23:59:59.5'],
};
const formatLimit = fc
  .constantFrom(...(Object.keys(limitTexts) as (keyof typeof limitTexts)[]))
  .chain((format) =>
    fc
      .record({ keyword: fc.constantFrom(...limits), limit: fc.constantFrom(...limitTexts[format]) })
      .map(({ keyword, limit }): Record<string, unknown> => ({ format, [keyword]: limit })),
  );
const stringKeyword = fc.oneof(
  fc.record({ minLength: fc.integer({ min: 0, max: 4 }), maxLength: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ pattern: fc.constantFrom(...patterns) }),
  fc.record({ format: fc.constantFrom(...formatNames) }),
  formatLimit,
  fc.record({ enum: fc.array(fc.oneof(fc.constantFrom(...words), fc.constant(null)), { minLength: 1, maxLength: 4 }) }),
);

type Schema = Record<string, unknown> | boolean;

function compose(leaf: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  return fc.letrec<{ node: Schema }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 5, arbitrary: leaf },
      fc.record({ anyOf: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ oneOf: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ allOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
      fc.record({ not: tie('node') }),
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      fc.record({ if: tie('node'), then: tie('node'), else: tie('node') }),
    ),
  })).node;
}

interface Kind {
  type: arrow.DataType;
  cell: fc.Arbitrary<unknown>;
  keywords: fc.Arbitrary<Schema>;
  metadata?: Map<string, string>;
}
const kind = (arrowType: arrow.DataType, cell: fc.Arbitrary<unknown>, own: fc.Arbitrary<Schema>): Kind => ({
  type: arrowType,
  cell,
  keywords: fc.oneof(own, fc.record({ type }), fc.constantFrom<Schema>(true, false)),
});
const ticks = fc.oneof(fc.bigInt(-3n, 3n), fc.constantFrom(1_709_200_800n, -(2n ** 40n), 2n ** 50n));
const kinds: Kind[] = [
  kind(new arrow.Int64(), int64, numberKeyword),
  kind(new arrow.Uint64(), fc.bigInt(0n, 2n ** 64n - 1n), numberKeyword),
  kind(new arrow.Int16(), fc.integer({ min: -12, max: 12 }), numberKeyword),
  kind(new arrow.Uint8(), fc.integer({ min: 0, max: 255 }), numberKeyword),
  kind(new arrow.Float64(), double, numberKeyword),
  kind(new arrow.Float32(), double, numberKeyword),
  kind(new arrow.Decimal(2, 38), unscaled, numberKeyword),
  kind(new arrow.Decimal(0, 20), unscaled, numberKeyword),
  kind(
    new arrow.Bool(),
    fc.boolean(),
    fc.record({ enum: fc.uniqueArray(fc.constantFrom(true, false, null), { minLength: 1 }) }),
  ),
  kind(new arrow.Utf8(), word, stringKeyword),
  kind(new arrow.Utf8(), word, stringKeyword),
  kind(
    new arrow.DateDay(),
    fc.oneof(fc.constantFrom(-1, 0, 19_782, 3_000_000, -800_000), fc.integer({ min: -3, max: 3 })),
    stringKeyword,
  ),
  kind(new arrow.TimestampSecond('UTC'), ticks, stringKeyword),
  kind(
    new arrow.TimestampMicrosecond('UTC'),
    ticks.map((t) => t * 500_000n),
    stringKeyword,
  ),
  kind(
    new arrow.TimestampMillisecond(),
    ticks.map((t) => t * 500n),
    stringKeyword,
  ),
  kind(
    new arrow.TimeMicrosecond(),
    fc.constantFrom(0n, 36_000_000_000n, 86_399_999_999n, 86_400_000_000n),
    stringKeyword,
  ),
  kind(new arrow.Binary(), fc.uint8Array({ maxLength: 4 }), stringKeyword),
  {
    ...kind(new arrow.FixedSizeBinary(16), fc.uint8Array({ minLength: 16, maxLength: 16 }), stringKeyword),
    metadata: uuidMetadata,
  },
];

const names = ['甲', 'b/c', 'd~'];
const table = fc.tuple(...names.map(() => fc.constantFrom(...kinds))).chain((chosen) => {
  const column = (k: Kind) =>
    cells(k.cell).map((values): TestColumn => ({ type: k.type, cells: values, metadata: k.metadata }));
  const property = fc.tuple(...chosen.map((k) => compose(k.keywords)));
  const members = (schemas: Schema[]) => ({
    properties: Object.fromEntries(names.map((name, i) => [name, schemas[i]!])),
  });
  return fc.record({
    columns: fc.tuple(...chosen.map(column)),
    properties: property,
    row: fc.option(compose(property.map(members)), { nil: undefined }),
  });
});

it('agrees with ajv on every row of random schemas and batches', () => {
  let compared = 0;
  fc.assert(
    fc.property(table, ({ columns, properties, row }) => {
      const named = Object.fromEntries(names.map((name, i) => [name, columns[i]!]));
      const schemas = Object.fromEntries(names.map((name, i) => [name, properties[i]!]));
      const document = contract(schemas, row === undefined ? {} : { allOf: [row] });
      // A key cell that is null fails by a rule of contracts, not of JSON Schema: keep it out of this comparison.
      named.key = { type: new arrow.Int32(), cells: Array.from({ length: rows }, (_, i) => i) };
      const keyed = { ...document, key: ['key'], properties: { ...document.properties, key: true } };
      const batch = batchOf(named);
      const compiled = compileWithoutMismatch(keyed, batch.schema);
      if (compiled === null) {
        return;
      }
      const verdict = compiled.check(batch);
      const oracle = createOracle(validateContract(keyed).root, { patterns: 'native' });
      const image = rowImager(batch.schema);
      const found = verdict.errors();
      for (let i = 0; i < rows; i++) {
        const value = image(batch.data.children, i);
        compared++;
        expect({ i, fails: verdict.mask?.[i] === 1 }).toEqual({ i, fails: !oracle.passes(value) });
        const expected = new Set(oracle.errors(value).map((e) => `${e.pointer} ${e.code}`));
        expect(new Set(found.filter((e) => e.row === i).map((e) => `${e.pointer} ${e.code}`))).toEqual(expected);
      }
    }),
    { numRuns: 250 },
  );
  expect(compared).toBeGreaterThan(rows * 100);
});

/** Null where the schema never lets a cell pass: refused when compiled, so there is nothing to compare. */
function compileWithoutMismatch(document: Parameters<typeof compileContract>[0], schema: arrow.Schema) {
  try {
    return compileContract(document, schema);
  } catch (e) {
    expect(e).toMatchObject({ code: 'CONTRACT_MISMATCH' });
    return null;
  }
}
