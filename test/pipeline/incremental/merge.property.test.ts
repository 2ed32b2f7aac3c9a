/** Random histories: whatever was told in whatever portions, the buckets are those of one full read of the same state. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MergeResult } from '../../../pipeline/incremental/merge.ts';
import { bringIn, MemoryStaging, type Told } from './memory.ts';

const BUCKETS = 4;
const id = fc.integer({ min: 0, max: 30 });
const change: fc.Arbitrary<Told> = fc.record({
  id,
  name: fc.option(fc.string({ maxLength: 4, unit: fc.constantFrom('张', '李', 'x', '') })),
  kind: fc.constantFrom('put', 'put', 'put', 'remove', 'reject'),
});
/** Portions, each one run; some runs are killed before their commit and told again with the next. */
const history = fc.array(fc.record({ changes: fc.array(change, { maxLength: 25 }), killed: fc.boolean() }), {
  maxLength: 6,
});

/** The same, row by row, as a person would keep it. */
class Model {
  readonly rows = new Map<number, string | null>();
  readonly stale = new Set<number>();

  apply({ id: key, name, kind }: Told): void {
    if (kind === 'reject') {
      if (this.rows.has(key)) this.stale.add(key);
      return;
    }
    this.stale.delete(key);
    if (kind === 'remove') this.rows.delete(key);
    else this.rows.set(key, name);
  }

  /** What a full read finds: of keys that are out of date, the row that breaks the contract. */
  read(): Told[] {
    return [...this.rows].map(([key, name]) =>
      this.stale.has(key) ? { id: key, name: null, kind: 'reject' } : { id: key, name },
    );
  }
}

const digests = (result: MergeResult | undefined) =>
  (result?.parts ?? []).map(({ bucket, digest, stale }) => ({ bucket, digest, stale }));

describe('buckets', () => {
  test('told change by change, equal a full read, bytes and all; counts lead from each version to the next', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (portions) => {
        const staging = new MemoryStaging();
        const model = new Model();
        let current: MergeResult | undefined;
        let pending: Told[] = [];
        for (const { changes, killed } of [...portions, { changes: [], killed: false }]) {
          pending.push(...changes);
          for (const one of changes) model.apply(one);
          const before = await staging.rowsOf(current?.parts ?? []);
          const task = { buckets: BUCKETS, full: false, rows: 'changes' as const, base: current };
          const result = await bringIn(staging, [pending], task);
          // A killed run leaves nothing but objects that nobody names: the next begins where the last commit was.
          if (killed) continue;
          pending = [];
          current = result;
          const rows = await staging.rowsOf(result.parts);
          const { inserted, deleted, vanished } = result.counts;
          expect(rows.size).toBe(before.size + inserted - deleted - vanished);
          expect(rows).toEqual(new Map([...rows.keys()].map((key) => [key, model.rows.get(key)])));
          expect(rows.size).toBe(model.rows.size);
          expect(result.stale).toBe(model.stale.size);
        }
        const full = { buckets: BUCKETS, full: true, rows: 'state' as const };
        const again = await bringIn(staging, split(model.read()), { ...full, base: current });
        expect(digests(again)).toEqual(digests(current));
        expect(again.counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0, vanished: 0 });
        expect(again.sums).toEqual(current!.sums);
        if (model.stale.size > 0) return;
        const anew = await bringIn(staging, split(model.read()), full);
        expect(digests(anew)).toEqual(digests(current));
        expect(anew.sums).toEqual(current!.sums);
      }),
      { numRuns: 60 },
    );
  });

  test('of one state: a key that was not read vanishes, the first of two rows stays, what is the same keeps its digest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id, name: fc.constantFrom('a', 'b', null) }), { maxLength: 60 }),
        fc.array(fc.record({ id, name: fc.constantFrom('a', 'b', null) }), { maxLength: 60 }),
        async (first, second) => {
          const staging = new MemoryStaging();
          const task = { buckets: BUCKETS, full: true, rows: 'state' as const };
          const one = await bringIn(staging, split(first), task);
          const two = await bringIn(staging, split(second), { ...task, base: one });
          const [before, after] = [firstOf(first), firstOf(second)];
          expect(await staging.rowsOf(two.parts)).toEqual(after);
          expect(two.duplicates).toBe(second.length - after.size);
          const kept = [...after].filter(([key, name]) => before.has(key) && before.get(key) === name);
          const changed = [...after].filter(([key, name]) => before.has(key) && before.get(key) !== name);
          expect(two.counts).toEqual({
            inserted: after.size - kept.length - changed.length,
            updated: changed.length,
            unchanged: kept.length,
            deleted: 0,
            vanished: [...before.keys()].filter((key) => !after.has(key)).length,
          });
          const alone = await bringIn(staging, split(second), task);
          expect(digests(two)).toEqual(digests(alone));
          expect(two.sums).toEqual(alone.sums);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a table that was emptied begins from nothing', async () => {
    const staging = new MemoryStaging();
    const told: Told[] = Array.from({ length: 40 }, (_, i) => ({ id: i, name: 'a' }));
    const base = await bringIn(staging, [told], { buckets: BUCKETS, full: true, rows: 'state' });
    const emptied = await bringIn(staging, [[{ id: 3, name: 'b' }]], {
      buckets: BUCKETS,
      full: true,
      rows: 'changes',
      base,
    });
    expect(await staging.rowsOf(emptied.parts)).toEqual(new Map([[3, 'b']]));
    expect(emptied.counts).toMatchObject({ vanished: 40, inserted: 1, updated: 0 });
  });

  test('only buckets that were touched are written', async () => {
    const staging = new MemoryStaging();
    const told: Told[] = Array.from({ length: 500 }, (_, i) => ({ id: i, name: 'a' }));
    const task = { buckets: 64, full: true, rows: 'state' as const };
    const base = await bringIn(staging, [told], task);
    const objects = staging.objects.size;
    const window = { buckets: 64, full: false, rows: 'state' as const, base };
    const next = await bringIn(
      staging,
      [
        [
          { id: 7, name: 'b' },
          { id: 8, name: 'a' },
        ],
      ],
      window,
    );
    expect(next.counts).toMatchObject({ updated: 1, unchanged: 1, inserted: 0 });
    expect(staging.objects.size).toBe(objects + 1);
    expect(next.parts.filter(({ digest }) => !base.parts.some((part) => part.digest === digest))).toHaveLength(1);
  });
});

/** Over two partitions, as threads read them. */
function split(rows: Told[]): Told[][] {
  const middle = rows.length >> 1;
  return [rows.slice(0, middle), rows.slice(middle)];
}

function firstOf(rows: { id: number; name: string | null }[]): Map<number, string | null> {
  const first = new Map<number, string | null>();
  for (const { id: key, name } of rows) if (!first.has(key)) first.set(key, name);
  return first;
}
