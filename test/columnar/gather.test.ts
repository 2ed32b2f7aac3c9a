import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rowEquality } from '../../columnar/equal.ts';
import { copyRows } from '../../columnar/filter.ts';
import { concatBatches, gatherRows } from '../../columnar/gather.ts';
import { bucketOrder, keyHashesOf, keyOrder, sortedByKey } from '../../columnar/keys.ts';
import { readAtOf, readPartIndex } from '../../columnar/read.ts';
import { readColumns } from '../../columnar/read-columns.ts';
import { cells, sampleBatch, writePart } from './samples.ts';

const ROWS = 40;
const batch = sampleBatch(ROWS);
const plain = cells(batch);

describe('rows of every type', () => {
  test('picked from several batches, in any order, are the same cells', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(ROWS - 1), { maxLength: 60 }), fc.integer({ min: 1, max: ROWS - 1 }), (rows, at) => {
        const parts = [copyRows(batch, 0, at), copyRows(batch, at, ROWS)];
        const picked = gatherRows(batch.schema, parts, {
          batch: Uint32Array.from(rows, (row) => Number(row >= at)),
          row: Uint32Array.from(rows, (row) => (row >= at ? row - at : row)),
          length: rows.length,
        });
        expect(cells(picked)).toEqual(rows.map((row) => plain[row]));
        const same = rowEquality(picked, batch);
        expect(rows.every((row, i) => same(i, row))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('are equal exactly where their cells are', () => {
    const again = concatBatches(batch.schema, [copyRows(batch, 20, ROWS), copyRows(batch, 0, 20)]);
    const same = rowEquality(batch, again);
    for (let left = 0; left < ROWS; left++) {
      for (let right = 0; right < ROWS; right++) {
        expect(same(left, right)).toBe(plain[left]!.join() === plain[(right + 20) % ROWS]!.join());
      }
    }
  });

  test('picked rows give the bytes that the same rows gave where they were first written', () => {
    const turned = Uint32Array.from({ length: ROWS }, (_, i) => ROWS - 1 - i);
    const once = gatherRows(batch.schema, [batch], { batch: new Uint32Array(ROWS), row: turned, length: ROWS });
    const back = gatherRows(batch.schema, [once], { batch: new Uint32Array(ROWS), row: turned, length: ROWS });
    expect(Buffer.from(writePart([back])).equals(writePart([batch]))).toBe(true);
  });

  test('some columns of a part are read without the others', async () => {
    const bytes = writePart([batch, copyRows(batch, 3, 9)]);
    const index = await readPartIndex(readAtOf(bytes), bytes.byteLength);
    for (let position = 0; position < batch.schema.fields.length; position++) {
      let read = 0;
      const readAt = async (offset: number, length: number) => {
        read += length;
        return bytes.slice(offset, offset + length);
      };
      const [whole, some] = await Promise.all(
        index.batches.map((entry) => readColumns(readAt, index, entry, [position])),
      );
      expect(cells(whole!)).toEqual(plain.map((row) => [row[position]]));
      expect(cells(some!)).toEqual(plain.slice(3, 9).map((row) => [row[position]]));
      expect(read).toBeLessThan(bytes.byteLength / 4);
    }
  });
});

describe('the order of keys', () => {
  test('is that of hashes, then of bytes, then of reading; a bucket out of order or with a key twice is told', () => {
    const key = batch.schema.fields.findIndex(({ name }) => name === 'utf8');
    const tie = Float64Array.from({ length: ROWS }, (_, row) => row);
    const hashes = keyHashesOf(batch, [key]);
    const sorted = sortedByKey(batch, [key], hashes, tie);
    const compare = keyOrder(batch, batch, [key]);
    for (let i = 1; i < ROWS; i++) {
      const [a, b] = [sorted[i - 1]!, sorted[i]!];
      const order = hashes.high[a]! - hashes.high[b]! || hashes.low[a]! - hashes.low[b]! || compare(a, b) || a - b;
      expect(order).toBeLessThan(0);
    }
    const distinct = sorted.filter((row, i) => i === 0 || compare(sorted[i - 1]!, row) !== 0);
    const take = (rows: Uint32Array) =>
      gatherRows(batch.schema, [batch], { batch: new Uint32Array(rows.length), row: rows, length: rows.length });
    const inOrder = (first: number, last: number, ...pieces: Uint32Array[]) => {
      const check = bucketOrder([key], first, last);
      return pieces.every((rows) => check(take(rows)));
    };
    const all = [0, 2 ** 32 - 1] as const;
    expect(distinct.length).toBeGreaterThan(2);
    expect(inOrder(...all, distinct)).toBe(true);
    expect(inOrder(...all, distinct.slice(0, 2), distinct.slice(2))).toBe(true);
    expect(inOrder(...all, distinct.slice().reverse())).toBe(false);
    expect(inOrder(...all, distinct.slice(0, 2), distinct.slice(1))).toBe(false);
    expect(inOrder(...all, sorted)).toBe(false);
    expect(inOrder(hashes.high[distinct[0]!]! + 1, all[1], distinct)).toBe(false);
  });
});
