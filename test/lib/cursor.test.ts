import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../lib/cursor.ts';

const id = '0198c0de-0000-4000-8000-000000000001';
const time = '2026-03-01T00:00:00.000Z';

test('a cursor that was given out is read back, each member of its kind', () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: -(2 ** 31) + 1 }),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
      (uuid, at, text, integer, number) => {
        fc.pre(!text.includes('\0'));
        const place = [uuid, at.toISOString(), text, integer, number];
        const read = decodeCursor(encodeCursor(place), 'uuid', 'time', 'text', 'integer', 'number');
        expect(read.map(String)).toEqual(place.map(String));
      },
    ),
  );
});

test.each<[what: string, place: unknown, kinds: Parameters<typeof decodeCursor>[1][]]>([
  ['text for a UUID', ['a'], ['uuid']],
  ['a UUID in capitals', [id.toUpperCase()], ['uuid']],
  ['text for a number', ['1'], ['number']],
  ['a number beyond an integer of PostgreSQL', [2 ** 31], ['integer']],
  ['half a number', [1.5], ['integer']],
  ['a day that there is not', ['2026-02-31T00:00:00.000Z'], ['time']],
  ['a year that there is not', ['0000-01-01T00:00:00.000Z'], ['time']],
  ['a time in other words', ['1 March 2026'], ['time']],
  ['NUL', ['a\0'], ['text']],
  ['half a character', ['\ud800'], ['text']],
  ['a member too many', [id, time], ['uuid']],
  ['a member too few', [time], ['time', 'uuid']],
  ['no list', id, ['uuid']],
])('refused: %s', (_, place, kinds) => {
  const forged = Buffer.from(JSON.stringify(place)).toString('base64url');
  expect(() => decodeCursor(forged, ...kinds)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
});

test('refused: what is no JSON', () => {
  expect(() => decodeCursor('forged', 'uuid')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
});
