/**
 * A format is one function over UTF-8 bytes. Columns call it on their buffers; ajv calls the string form, which encodes
 * first. Both are the same code, so they cannot disagree.
 */
export type ByteFormat = (bytes: Uint8Array, start: number, end: number) => boolean;

const encoder = new TextEncoder();
let scratch = new Uint8Array(4096);

/** The string form of a byte format. Lone surrogates become U+FFFD, as everywhere on the way to UTF-8. */
export function stringFormat(check: ByteFormat): (text: string) => boolean {
  return (text) => {
    if (text.length * 3 > scratch.length) {
      scratch = new Uint8Array(text.length * 3);
    }
    return check(scratch, 0, encoder.encodeInto(text, scratch).written);
  };
}

/** The number that two ASCII digits at `at` spell, or NaN. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

export function allDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) {
      return false;
    }
  }
  return true;
}
