/** RFC 9562 section 4: 8-4-4-4-12 hexadecimal digits in either case. */
const isHex = new Uint8Array(256);
for (const byte of new TextEncoder().encode('0123456789abcdefABCDEF')) {
  isHex[byte] = 1;
}

export function isUuid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 36) {
    return false;
  }
  let hex = 1;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[start + i]!;
    hex &= i === 8 || i === 13 || i === 18 || i === 23 ? Number(byte === 45) : isHex[byte]!;
  }
  return hex === 1;
}
