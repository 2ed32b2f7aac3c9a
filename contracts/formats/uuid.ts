/** RFC 9562 section 4: 8-4-4-4-12 hexadecimal digits in either case. */
const notHex = new Uint8Array(256).fill(1);
for (const byte of new TextEncoder().encode('0123456789abcdefABCDEF')) {
  notHex[byte] = 0;
}
const hyphen = 45;
const groupEnds = [8, 13, 18, 23, 36] as const;

export function isUuid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 36) {
    return false;
  }
  let wrong = 0;
  let at = 0;
  for (let group = 0; group < 5; group++) {
    const groupEnd = groupEnds[group]!;
    for (; at < groupEnd; at++) {
      wrong |= notHex[bytes[start + at]!]!;
    }
    wrong |= group < 4 ? bytes[start + at]! ^ hyphen : 0;
    at++;
  }
  return wrong === 0;
}
