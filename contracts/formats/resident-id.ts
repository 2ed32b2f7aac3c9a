/**
 * 公民身份号码, GB 11643-1999: six digits of division, eight of birth date, three of sequence, one check character by
 * ISO 7064:1983 MOD 11-2. The birth date must be a real day in 1900 or later; "not in the future" depends on the day
 * of the check and is for the contract to say (`formatMaximum` on the date column).
 */
import { daysInMonth } from '../civil.ts';
import { twoDigits } from './text.ts';

const weights = Uint8Array.of(7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2);
/** Check characters by the weighted sum modulo 11. */
const checkCharacters = new TextEncoder().encode('10X98765432');

export function isResidentId(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 18) {
    return false;
  }
  let sum = 0;
  let range = 0;
  for (let i = 0; i < 17; i++) {
    const digit = bytes[start + i]! - 48;
    // Negative as soon as one character is below '0' or above '9'.
    range |= digit | (9 - digit);
    sum += digit * weights[i]!;
  }
  if (range < 0 || bytes[start + 17] !== checkCharacters[sum % 11]) {
    return false;
  }
  const year = twoDigits(bytes, start + 6) * 100 + twoDigits(bytes, start + 8);
  const month = twoDigits(bytes, start + 10);
  const day = twoDigits(bytes, start + 12);
  return year >= 1900 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}
