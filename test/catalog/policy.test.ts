import fc from 'fast-check';
import { expect, test } from 'vitest';
import { currentPolicy, deadlineOf } from '../../catalog/policy.ts';
import { addWorkingDays, isWorkingDay, nextDay } from '../../lib/pure/calendar.ts';
import { apply, districtFiles, parsed, withCatalog } from './support.ts';

const { policy } = parsed(districtFiles());

test('ten working days after 2026-02-12 end on 2026-03-04: Spring Festival, and weekends worked in exchange', () => {
  expect(addWorkingDays('2026-02-12', 10)).toEqual({ date: '2026-03-04', provisional: false });
  expect(isWorkingDay('2026-02-14')).toBe(true);
  expect(isWorkingDay('2026-02-17')).toBe(false);
});

test('a year whose holidays are not announced gives a provisional date', () => {
  expect(addWorkingDays('2094-03-01', 3)).toEqual({ date: '2094-03-04', provisional: true });
});

test('the end is a working day, and as many working days lie up to it', () => {
  const days = fc.date({ min: new Date('2020-01-01'), max: new Date('2026-11-01'), noInvalidDate: true });
  fc.assert(
    fc.property(days, fc.integer({ min: 1, max: 30 }), (start, count) => {
      const from = start.toISOString().slice(0, 10);
      const { date } = addWorkingDays(from, count);
      expect(isWorkingDay(date)).toBe(true);
      let working = 0;
      for (let day = from; day < date; ) {
        day = nextDay(day);
        if (isWorkingDay(day)) working++;
      }
      expect(working).toBe(count);
    }),
    { seed: 20_260_304, numRuns: 200, verbose: 1 },
  );
});

test('a deadline is the end of its day in the policy’s time zone, whatever the day is in UTC', () => {
  const lateEvening = new Date('2026-02-12T15:59:59Z');
  expect(deadlineOf(policy, 'conditionalAnswer', lateEvening)).toEqual({
    date: '2026-03-04',
    at: new Date('2026-03-04T16:00:00Z'),
    provisional: false,
    policyVersion: '1.0.0',
  });
  const afterMidnight = new Date('2026-02-12T16:00:00Z');
  expect(deadlineOf(policy, 'conditionalAnswer', afterMidnight).date).toBe('2026-03-05');
});

test('the policy is that of the newest apply', () =>
  withCatalog(async (catalog) => {
    await expect(currentPolicy(catalog)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await apply(catalog, districtFiles());
    const files = districtFiles();
    files['policy.yaml'] = files['policy.yaml']!.replace('conditionalAnswer: 10', 'conditionalAnswer: 7');
    await apply(catalog, files);
    expect((await currentPolicy(catalog)).workingDays.conditionalAnswer).toBe(7);
  }));
