/**
 * 统一社会信用代码, GB 32100-2015: 18 characters of the digits and capitals without I, O, S, V and Z; the last is a
 * check character by weights that are the powers of 3 modulo 31. Characters 3 to 8 are a division code: digits.
 */
import { allDigits } from './text.ts';

const alphabet = new TextEncoder().encode('0123456789ABCDEFGHJKLMNPQRTUWXY');
const weights = Uint8Array.of(1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28);
/** Larger than any sum of valid characters: one invalid character shows in the sum. */
const invalid = 1 << 20;
const characterValue = new Int32Array(256).fill(invalid);
alphabet.forEach((byte, value) => {
  characterValue[byte] = value;
});

export function isSocialCreditCode(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 18) {
    return false;
  }
  let sum = 0;
  for (let i = 0; i < 17; i++) {
    sum += characterValue[bytes[start + i]!]! * weights[i]!;
  }
  return (
    sum < invalid && bytes[start + 17] === alphabet[(31 - (sum % 31)) % 31] && allDigits(bytes, start + 2, start + 8)
  );
}
