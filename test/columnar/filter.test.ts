import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyRows, filterBatch } from '../../columnar/filter.ts';
import { batchOf, cells, intervalData, mapData, sampleBatch } from './samples.ts';

describe('filterBatch', () => {
  test('keeps exactly the rows of the mask, for all types, also of slices', () => {
    const masks = fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 0, maxLength: 80 });
    fc.assert(
      fc.property(masks, fc.nat(9), (bits, skip) => {
        const batch = sampleBatch(bits.length + skip).slice(skip);
        const mask = Uint8Array.from(bits);
        for (const keep of [0, 1] as const) {
          const wanted = cells(batch).filter((_, row) => bits[row] === keep);
          expect(cells(filterBatch(batch, mask, keep))).toEqual(wanted);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a null mask fails no row', () => {
    const batch = sampleBatch(9);
    expect(cells(filterBatch(batch, null, 0))).toEqual(cells(batch));
    expect(filterBatch(batch, null, 1).numRows).toBe(0);
  });

  test('intervals and maps', () => {
    const batch = batchOf({ interval: intervalData(), map: mapData() });
    expect(cells(filterBatch(batch, Uint8Array.of(0, 1, 0), 0))).toEqual([cells(batch)[0], cells(batch)[2]]);
  });
});

test('copyRows owns its memory', () => {
  const batch = sampleBatch(20);
  const before = cells(batch);
  const copy = copyRows(batch, 4, 11);
  for (const { values } of batch.data.children) if (values) new Uint8Array(values.buffer).fill(255);
  expect(cells(copy)).toEqual(before.slice(4, 11));
});
