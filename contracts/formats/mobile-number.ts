/** A mainland mobile number: eleven digits, the first 1, the second 3 to 9 (numbering plan of the MIIT). */
import { allDigits } from './text.ts';

export function isMobileNumber(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 11 && bytes[start] === 49 && bytes[start + 1]! >= 51 && allDigits(bytes, start + 1, end);
}
