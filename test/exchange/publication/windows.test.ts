import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextOpening } from '../../../exchange/publication/windows.ts';
import type { SourceWindow } from '../../../schemas/generated/source.ts';

const ZONE = 'Asia/Shanghai';
const night: SourceWindow = { notBefore: '20:00', notAfter: '06:00' };
const opening = (windows: SourceWindow[], now: string, zone = ZONE) =>
  nextOpening(windows, new Date(now), zone).toISOString();

test('within a window it is now; outside, when the next one opens', () => {
  const now = '2026-11-23T12:30:00.000Z';
  expect(opening([night], now)).toBe(now);
  expect(opening([night], '2026-11-23T11:59:59.000Z')).toBe('2026-11-23T12:00:00.000Z');
  // 05:59 is of yesterday's night, 06:00 is not.
  expect(opening([night], '2026-11-22T21:59:00.000Z')).toBe('2026-11-22T21:59:00.000Z');
  expect(opening([night], '2026-11-22T22:00:00.000Z')).toBe('2026-11-23T12:00:00.000Z');
});

test('a night belongs to the day on which it begins', () => {
  const friday: SourceWindow = { ...night, days: ['fri'] };
  // 2026-11-28 is a Saturday: 02:00 is Friday's night, 20:00 is nobody's.
  expect(opening([friday], '2026-11-27T18:00:00.000Z')).toBe('2026-11-27T18:00:00.000Z');
  expect(opening([friday], '2026-11-28T12:00:00.000Z')).toBe('2026-12-04T12:00:00.000Z');
});

test('the earliest of several; each in its own time zone', () => {
  const noon: SourceWindow = { notBefore: '12:00', notAfter: '13:00', timeZone: 'UTC' };
  expect(opening([night, noon], '2026-11-23T07:00:00.000Z')).toBe('2026-11-23T12:00:00.000Z');
  expect(opening([noon], '2026-11-23T13:00:00.000Z')).toBe('2026-11-24T12:00:00.000Z');
});

test('the same time on both sides is a whole day', () => {
  const sunday: SourceWindow = { days: ['sun'], notBefore: '00:00', notAfter: '00:00' };
  expect(opening([sunday], '2026-11-29T15:59:00.000Z')).toBe('2026-11-29T15:59:00.000Z');
  expect(opening([sunday], '2026-11-29T16:00:00.000Z')).toBe('2026-12-05T16:00:00.000Z');
});

test('a change of the clock moves the instant, not the time on the wall', () => {
  const zone = 'Europe/Berlin';
  expect(opening([night], '2026-03-28T12:00:00.000Z', zone)).toBe('2026-03-28T19:00:00.000Z');
  expect(opening([night], '2026-03-29T12:00:00.000Z', zone)).toBe('2026-03-29T18:00:00.000Z');
});

test('where it opens it is open, a millisecond before it is not, and never is it later than eight days', () => {
  const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }));
  const text = time.map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  const window = fc.record(
    { notBefore: text, notAfter: text, days: fc.uniqueArray(fc.constantFrom(...days), { minLength: 1 }) },
    { requiredKeys: ['notBefore', 'notAfter'] },
  );
  const moment = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), moment, (windows, now) => {
      const opens = nextOpening(windows, now, ZONE);
      expect(opens.getTime() - now.getTime()).toBeLessThanOrEqual(8 * 86_400_000);
      expect(nextOpening(windows, opens, ZONE)).toEqual(opens);
      if (opens > now) expect(nextOpening(windows, new Date(opens.getTime() - 1), ZONE)).toEqual(opens);
    }),
    { numRuns: 60 },
  );
});
