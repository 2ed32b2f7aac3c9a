/** A look-up gives exactly the cells of a bulk read under the same grant, whatever the policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordBatch } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RowImageWriter } from '../../../../columnar/row-image.ts';
import { IndexFile } from '../../../../exchange/access/lookup/files.ts';
import { OpenIndex } from '../../../../exchange/access/lookup/open-index.ts';
import { keyHasher, SlotTable } from '../../../../exchange/access/lookup/slots.ts';
import { answerOf } from '../../../../exchange/access/lookup/verification.ts';
import { maskKeyOf } from '../../../../exchange/access/policy/keyed-hash.ts';
import { type Policy, policyOf } from '../../../../exchange/access/policy/policy.ts';
import type { Version } from '../../../../exchange/publication/publication.ts';
import { bulkRows, KEY, keyOf, withKey } from '../policy/keyed.ts';
import { batchOf, policies, rows } from '../policy/samples.ts';

const subjectKey = Buffer.alloc(32, 7);
const maskKey = maskKeyOf(subjectKey, 'police');
const bulk = (batch: RecordBatch, policy: Policy) => bulkRows(batch, policy, maskKey);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-lookup-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function indexOf(batch: RecordBatch, salt: number): Promise<OpenIndex> {
  const hashOf = keyHasher(subjectKey, salt);
  const table = new SlotTable(batch.numRows);
  const bytes = new RowImageWriter().batch(batch, (row, start, length) => {
    expect(table.add(hashOf(keyOf(row)), start, length)).toBe(true);
  });
  const paths = ['slots', 'records'].map((name) => join(directory, name));
  await writeFile(paths[0]!, table.bytes);
  await writeFile(paths[1]!, bytes);
  const [slots, records] = paths.map((path) => new IndexFile(path)) as [IndexFile, IndexFile];
  return new OpenIndex({ version: {} as Version, schema: batch.schema, key: [KEY], slots, records, hashOf });
}

test('random rows, random policies: the same rows and the same cells, and the same work for keys that are absent', async () => {
  await fc.assert(
    fc.asyncProperty(rows, policies, fc.nat(3), async (list, terms, salt) => {
      const batch = withKey(batchOf(list));
      const policy = policyOf(terms) as Policy;
      const index = await indexOf(batch, salt);
      try {
        const there = list.map((_, row) => keyOf(row));
        const absent = list.map((_, row) => keyOf(row + 5_000));
        const present = index.shown(index.rows(there), policy, maskKey);
        const work = { ...index.work };
        expect(present.filter((record) => record !== null)).toEqual(bulk(batch, policy));
        expect(index.shown(index.rows(absent), policy, maskKey)).toEqual(absent.map(() => null));
        expect(index.work).toEqual({
          recordsRead: 2 * work.recordsRead,
          rowsChecked: 2 * work.rowsChecked,
          rowsShown: 2 * work.rowsShown,
        });
        for (const [row, record] of present.entries()) {
          expect(index.shown(index.rows([keyOf(row)]), policy, maskKey)).toEqual([record]);
        }
      } finally {
        index.close();
      }
    }),
    { numRuns: 150 },
  );
});

test('a question with @today; the grant’s filter holds for questions too; what is not there is no', async () => {
  const row = (日期: string | null, 姓名: string) => ({
    ...{ 有效: true, 年龄: 1, 序号: 1n, 经度: 0, 金额: '0.000', 时间: '2000-02-29T00:00:00', 编号: null },
    ...{ 日期, 姓名 },
  });
  const index = await indexOf(withKey(batchOf([row('9999-12-31', 'a'), row('2000-02-29', 'a'), row(null, 'ab')])), 0);
  const words = { zh: '有效', en: 'Valid' };
  const verification = { title: words, where: { ge: { column: '日期', value: '@today' } }, matching: ['姓名'] };
  const rowFilter = { ne: { column: '姓名', value: 'ab' } };
  const policy = policyOf({ grantee: 'police', items: ['姓名'], rowFilter }) as Policy;
  const ask = (place: number, name: string, where: object = verification.where) =>
    answerOf(index, {
      text: keyOf(place),
      given: new Map([['姓名', name]]),
      verification: { ...verification, where: where as typeof verification.where },
      policy,
    });
  expect([ask(0, 'a'), ask(1, 'a'), ask(2, 'ab'), ask(0, 'ab'), ask(7, 'a')]).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  const open = { isNull: { column: '日期' } };
  expect([ask(0, 'a', { not: open }), ask(2, 'ab', open)]).toEqual([true, false]);
  index.close();
});

test('keys that fall together are told apart, or the table says that they cannot be', () => {
  const table = new SlotTable(4);
  expect(table.add({ first: 3, second: 1 }, 0, 10)).toBe(true);
  expect(table.add({ first: 3, second: 2 }, 10, 10)).toBe(true);
  expect(table.add({ first: 3, second: 1 }, 20, 10)).toBe(false);
  expect(table.add({ first: 7, second: 3 }, 20, 10)).toBe(true);
  expect(table.add({ first: 7, second: 4 }, 30, 10)).toBe(true);
});
