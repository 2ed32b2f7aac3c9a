/** The difference of two versions, against one counted naively; under grants; and with a contract that changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Field,
  Int32,
  Int64,
  type RecordBatch,
  Schema,
  Table,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Buckets } from '../../../../exchange/access/diff/buckets.ts';
import { alignBatch, diffColumns } from '../../../../exchange/access/diff/columns.ts';
import { compareRows } from '../../../../exchange/access/diff/compare.ts';
import { type DiffSummary, openDiff } from '../../../../exchange/access/diff/diff.ts';
import { createGrant } from '../../../../exchange/access/explicit-grants.ts';
import type { GrantTerms } from '../../../../schemas/generated/grant-terms.ts';
import { DATASET, schema } from '../../publication/world.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from '../support.ts';

type Row = [id: bigint, name: string | null];

let bench: Bench;
const same: Row[] = [
  [900n, '同'],
  [901n, null],
];
const first: Row[] = [
  [1n, '张三'],
  [2n, null],
  [3n, '李四'],
  [4n, '王五'],
];
const second: Row[] = [
  [4n, '王五'],
  [3n, '李思'],
  [2n, '新'],
  [5n, '赵六'],
];

beforeAll(async () => {
  bench = await openBench({ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } });
  await bench.world
    .catalog('department')
    .insert({ code: 'police', name_zh: '公安', name_en: 'Police', definition: {} });
  await bench.publish([[batchOf(same)], [batchOf(first)]]);
  await bench.publish([[batchOf(same)], [batchOf(second)]]);
});
afterAll(() => bench.close());

const own = principal('health');

async function summary(changes: Partial<Parameters<typeof openDiff>[1]> = {}): Promise<DiffSummary> {
  const asked = { principal: own, dataset: DATASET, from: 1, to: 2, format: 'json' as const, ...changes };
  const { stream, closed } = await openDiff(bench.access, asked);
  const text = (await bytesOf(stream)).toString();
  await closed;
  return JSON.parse(text);
}

async function rowsOf(changes: Partial<Parameters<typeof openDiff>[1]> = {}): Promise<Record<string, unknown>[]> {
  const asked = { principal: own, dataset: DATASET, from: 1, to: 2, format: 'arrow' as const, ...changes };
  const table = tableFromIPC(await bytesOf((await openDiff(bench.access, asked)).stream));
  return table.toArray().map((row) => row.toJSON());
}

async function grant(changes: Partial<GrantTerms>) {
  const terms: GrantTerms = {
    grantee: 'police',
    dataset: DATASET,
    items: ['id', '姓名'],
    modes: ['bulk'],
    purpose: 'case-check',
    legalBasis: '依法',
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
    ...changes,
  };
  return (await createGrant(bench.world, { terms, actor: { actor: 'token:officer' } })).id;
}

describe('openDiff', () => {
  test('counts rows by key and column; a part that both versions have is not read', async () => {
    expect(await summary()).toEqual({
      dataset: DATASET,
      from: 1,
      to: 2,
      key: ['id'],
      added: 1,
      removed: 1,
      changed: 2,
      unchanged: 3,
      columns: [{ name: '姓名', changed: 2 }],
      columnsAdded: [],
      columnsRemoved: [],
      columnsRetyped: [],
      partsRead: 2,
      partsShared: 1,
    });
    expect(await summary({ from: 2, to: 2 })).toMatchObject({ changed: 0, unchanged: 6, partsRead: 0, partsShared: 2 });
    expect(await summary({ from: 2, to: 1 })).toMatchObject({ added: 1, removed: 1, changed: 2 });
  });

  test('as Arrow every row says what became of it', async () => {
    const rows = await rowsOf();
    const told = rows.map(({ _change, id, 姓名 }) => `${_change} ${id} ${姓名}`).sort();
    expect(told).toEqual([
      'added 5 赵六',
      'changed-from 2 null',
      'changed-from 3 李四',
      'changed-to 2 新',
      'changed-to 3 李思',
      'removed 1 张三',
    ]);
    expect(await rowsOf({ from: 2, to: 2 })).toEqual([]);
  });

  test('tells no more than the grant shows: masked cells, filtered rows, and columns that are not given', async () => {
    const police = { principal: principal('police') };
    await expect(summary(police)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const masked = await grant({ masks: { 姓名: { mask: 'constant', value: '×' } } });
    // Not whether parts differ either: they do for hidden cells too.
    expect(await summary({ ...police, grant: masked })).not.toHaveProperty('partsShared');
    expect(await summary({ ...police, grant: masked })).toMatchObject({ added: 1, removed: 1, changed: 0 });
    const filtered = await grant({
      rowFilter: { le: { column: 'id', value: 3 } },
    });
    const shown = await rowsOf({ ...police, grant: filtered });
    expect(shown.map(({ id }) => Number(id)).sort()).toEqual([1, 2, 2, 3, 3]);
    const nameOnly = await grant({ items: ['姓名'] });
    await expect(summary({ ...police, grant: nameOnly })).rejects.toMatchObject({ code: 'COLUMN_NOT_GRANTED' });
    const blurred = await grant({ masks: { id: { mask: 'constant' } } });
    await expect(summary({ ...police, grant: blurred })).rejects.toMatchObject({ code: 'COLUMN_NOT_GRANTED' });
    const hashed = await grant({ masks: { id: { mask: 'keyed-hash' } } });
    expect(await summary({ ...police, grant: hashed })).toMatchObject({ added: 1, removed: 1, changed: 2 });
  });

  test('an absent version is NOT_FOUND; the access is in the log before the first byte', async () => {
    await expect(summary({ from: 7 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await summary();
    const entries = await bench.audit.reader.entries(0, 1_000);
    const leaves = entries.map(({ leaf }) => JSON.parse(leaf)).filter(({ action }) => /^dataset\.diff/.test(action));
    expect(leaves.at(-2)).toMatchObject({
      action: 'dataset.diff.opened',
      object: `dataset/${DATASET}/version/2`,
      detail: { comparedWith: 1 },
    });
    expect(leaves.at(-1)).toMatchObject({ action: 'dataset.diff.closed', outcome: 'complete' });
  });
});

describe('comparing', () => {
  const rows = fc.uniqueArray(fc.tuple(fc.bigInt(0n, 60n), fc.option(fc.constantFrom('a', 'b', 'ab', ''))), {
    selector: ([id]) => id,
    maxLength: 60,
  });

  test('any two versions, in any number of buckets, differ as a naive count says', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, fc.constantFrom(1, 3), async (before, after, count) => {
        expect(await compared(before, after, count)).toEqual(naive(before, after));
      }),
      { numRuns: 60 },
    );
  });
});

async function compared(before: Row[], after: Row[], count: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-diff-test-'));
  try {
    const sides = [];
    for (const [name, side] of Object.entries({ before, after })) {
      const buckets = await Buckets.create(folder, name, { schema, key: [0], count });
      // In several batches, as parts come.
      for (let at = 0; at < side.length; at += 7) await buckets.add(batchOf(side.slice(at, at + 7)));
      await buckets.end();
      sides.push(buckets);
    }
    const found: string[] = [];
    for (let bucket = 0; bucket < count; bucket++) {
      const [left, right] = [await sides[0]!.read(bucket), await sides[1]!.read(bucket)];
      const differences = compareRows(left, right, { key: [0], compared: [0, 1] }, new Float64Array(2));
      const id = (batch: RecordBatch, row: number) => String(batch.getChildAt(0)!.get(row));
      found.push(...differences.added.map((row) => `+${id(right, row)}`));
      found.push(...differences.removed.map((row) => `-${id(left, row)}`));
      found.push(...differences.changed.filter((_, i) => i % 2 === 0).map((row) => `~${id(left, row)}`));
    }
    for (const side of sides) await side.close();
    return found.sort();
  } finally {
    await rm(folder, { recursive: true });
  }
}

function naive(before: Row[], after: Row[]): string[] {
  const [was, is] = [new Map(before), new Map(after)];
  return [
    ...after.filter(([id]) => !was.has(id)).map(([id]) => `+${id}`),
    ...before.filter(([id]) => !is.has(id)).map(([id]) => `-${id}`),
    ...before.filter(([id, name]) => is.has(id) && is.get(id) !== name).map(([id]) => `~${id}`),
  ].sort();
}

test('a contract that changed: columns are added, removed, or compared by their image where their type is another', () => {
  const from = batchFrom({ id: [[1n, 2n], new Int64()], n: [[5, 6], new Int32()], gone: [['x', 'y'], new Utf8()] });
  const to = batchFrom({ id: [[1n, 2n], new Int64()], n: [[5n, 7n], new Int64()], fresh: [['p', null], new Utf8()] });
  const columns = diffColumns(from.schema, to.schema);
  expect(columns).toMatchObject({ added: ['fresh'], removed: ['gone'], retyped: ['n'], compared: [0, 1] });
  expect(columns.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'id Int64',
    'n Utf8',
    'fresh Utf8',
    'gone Utf8',
  ]);
  const [before, after] = [alignBatch(from, columns), alignBatch(to, columns)];
  const counts = new Float64Array(2);
  const found = compareRows(before, after, { key: [0], compared: columns.compared }, counts);
  expect(found).toEqual({ added: [], removed: [], changed: [1, 1] });
  expect([...counts]).toEqual([0, 1]);
  expect(after.get(1)?.toJSON()).toEqual({ id: 2n, n: '7', fresh: null, gone: null });
});

function batchFrom(columns: Record<string, [values: unknown[], type: Int32 | Int64 | Utf8]>): RecordBatch {
  const fields = Object.entries(columns).map(([name, [, type]]) => new Field(name, type, true));
  const vectors = Object.entries(columns).map(([name, [values, type]]) => [name, vectorFromArray(values, type)]);
  return new Table(new Schema(fields), Object.fromEntries(vectors)).batches[0]!;
}
