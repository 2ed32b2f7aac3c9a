import { expect, test } from 'vitest';
import { addressList, isAt } from '../../../exchange/access/addresses.ts';

test.each([
  ['10.1.2.3', ['10.1.2.3'], true],
  ['10.1.2.4', ['10.1.2.3'], false],
  ['10.1.2.4', ['10.1.2.0/24'], true],
  ['::ffff:10.1.2.4', ['10.1.2.0/24'], true],
  ['2001:db8::5', ['2001:db8::/32'], true],
  ['2001:db9::5', ['2001:db8::/32'], false],
  ['10.1.2.4', ['2001:db8::/32', '10.0.0.0/8'], true],
  ['10.1.2.4', [], false],
  [undefined, ['10.0.0.0/8'], false],
  ['not an address', ['10.0.0.0/8'], false],
  [undefined, undefined, true],
  ['10.1.2.4', null, true],
])('%s at %j: %s', (address, addresses, expected) => {
  expect(isAt(address, addresses)).toBe(expected);
});

test.each([
  '',
  '10.1.2.3/',
  '10.1.2.3/33',
  '2001:db8::/129',
  '10.1.2.3/-1',
  '10.1.2.3/8/8',
  'example.com',
  '10.1.2.3/1e1',
])('%j is refused, and never means everybody', (entry) => {
  expect(() => addressList(['10.0.0.1', entry], (message, i) => new Error(`${i}: ${message}`))).toThrow(
    '1: this is no',
  );
});
