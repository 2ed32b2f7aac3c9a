import { type DataType, Decimal, Int8, Int16, Int32, Int64, Uint32, Uint64 } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ColumnSums, sameDecimal } from '../../columnar/sums.ts';
import { batchOf, column, sampleBatch } from './samples.ts';

const words = (value: bigint) => Uint32Array.from([0, 1, 2, 3], (i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
const int = (min: bigint, max: bigint) => fc.bigInt({ min, max });
const kinds: [string, DataType, fc.Arbitrary<bigint>, (value: bigint) => unknown][] = [
  ['int8', new Int8(), int(-128n, 127n), Number],
  ['int16', new Int16(), int(-32_768n, 32_767n), Number],
  ['int32', new Int32(), int(-(2n ** 31n), 2n ** 31n - 1n), Number],
  ['uint32', new Uint32(), int(0n, 2n ** 32n - 1n), Number],
  ['int64', new Int64(), int(-(2n ** 63n), 2n ** 63n - 1n), (value) => value],
  ['uint64', new Uint64(), int(0n, 2n ** 64n - 1n), (value) => value],
  ['decimal128', new Decimal(0, 38, 128), int(-(10n ** 38n) + 1n, 10n ** 38n - 1n), words],
];

describe('ColumnSums', () => {
  test.each(kinds)('%s equals the sum by BigInt, nulls left out', (_, type, values, cell) => {
    fc.assert(
      fc.property(fc.array(fc.option(values), { maxLength: 40 }), fc.nat(5), (list, skip) => {
        const batch = batchOf({ a: column(type, [null, ...list.map((one) => (one === null ? null : cell(one)))]) });
        const sums = new ColumnSums(batch.schema);
        sums.add(batch.slice(Math.min(skip, list.length)));
        const wanted = list
          .slice(Math.max(Math.min(skip, list.length) - 1, 0))
          .reduce<bigint>((sum, one) => sum + (one ?? 0n), 0n);
        expect(sums.toText()).toEqual({ a: String(wanted) });
      }),
      { numRuns: 60 },
    );
  });

  test('decimals keep their scale; threads’ sums are merged; other columns have none', () => {
    const cents = new Decimal(2, 12, 128);
    const batch = batchOf({
      金额: column(cents, [words(-5n), words(150n)]),
      text: sampleBatch(2, ['utf8']).data.children[0]!,
    });
    const [one, other] = [new ColumnSums(batch.schema), new ColumnSums(batch.schema)];
    expect(one.toText()).toEqual({ 金额: '0.00' });
    one.add(batch);
    other.merge(one.toText());
    other.add(batchOf({ 金额: column(cents, [words(-155n)]), text: sampleBatch(1, ['utf8']).data.children[0]! }));
    expect([one.toText(), other.toText()]).toEqual([{ 金额: '1.45' }, { 金额: '-0.10' }]);
  });
});

test('sameDecimal compares numbers, not their spelling', () => {
  for (const [a, b] of [
    ['12.5', '12.50'],
    ['0', '0.000'],
    ['-0.10', '-0.1'],
    ['+3', '3'],
  ])
    expect(sameDecimal(a!, b!)).toBe(true);
  for (const [a, b] of [
    ['12.5', '12.51'],
    ['-1', '1'],
    ['10', '100'],
  ])
    expect(sameDecimal(a!, b!)).toBe(false);
});
