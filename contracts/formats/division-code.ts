/**
 * 行政区划代码: the shape of GB/T 2260 (six digits: province, prefecture, county), of GB/T 10114 (nine: with the street
 * or township) and of the statistical code (twelve: with the community or village). A province's two digits begin with
 * 1 to 8 and are not "x0". Whether a code is in use is for an `enum` or a lookup to say.
 */
import { allDigits } from './text.ts';

export function isDivisionCode(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  const first = bytes[start]!;
  return (
    (length === 6 || length === 9 || length === 12) &&
    first >= 49 &&
    first <= 56 &&
    bytes[start + 1] !== 48 &&
    allDigits(bytes, start, end)
  );
}
