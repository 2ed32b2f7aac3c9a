import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRowBudget, RowBudget } from '../../pipeline/row-budget.ts';

test('threads together never read more than the rate allows, whoever comes when', () => {
  const lane = fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 2_000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(lane, { minLength: 1, maxLength: 4 }), (rate, lanes) => {
      let now = 0n;
      const state = newRowBudget(rate);
      const threads = lanes.map((batches) => ({
        budget: new RowBudget(state, () => now),
        at: 0,
        batches: [...batches],
      }));
      let rowsRead = 0;
      let batchMax = 0;
      for (;;) {
        const next = threads.filter(({ batches }) => batches.length > 0).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = BigInt(Math.round(next.at * 1e6));
        const [rows, idleMs] = next.batches.shift()!;
        batchMax = Math.max(batchMax, rows);
        rowsRead += rows;
        // What was read by now was paid for, but for the one batch that each thread is ahead.
        expect(rowsRead).toBeLessThanOrEqual((rate * next.at) / 1000 + threads.length * batchMax + 1);
        next.at += Math.max(idleMs, next.budget.pay(rows));
      }
    }),
    { numRuns: 200 },
  );
});

test('what waits is no less than the rate either: a thread alone waits for its own rows only', () => {
  let now = 0n;
  const budget = new RowBudget(newRowBudget(1_000), () => now);
  expect(budget.pay(500)).toBe(500);
  now = 500_000_000n;
  expect(budget.pay(250)).toBe(250);
  // Time in which nobody read is not saved up.
  now = 60_000_000_000n;
  expect(budget.pay(1_000)).toBe(1_000);
});
