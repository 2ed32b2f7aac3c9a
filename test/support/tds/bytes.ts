/** Little building blocks of TDS messages ([MS-TDS] 2.2.5): integers are little-endian, text is UTF-16. */

export function unsigned(bytes: number, value: number | bigint): Buffer {
  const out = Buffer.alloc(bytes);
  let rest = BigInt.asUintN(bytes * 8, BigInt(value));
  for (let i = 0; i < bytes; i++) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/** B_VARCHAR: length in characters, one byte. */
export function shortText(text: string): Buffer {
  return Buffer.concat([unsigned(1, text.length), utf16(text)]);
}

/** US_VARCHAR: length in characters, two bytes. */
export function longText(text: string): Buffer {
  return Buffer.concat([unsigned(2, text.length), utf16(text)]);
}

/** `bytes` behind their own length in `lengthBytes` bytes. */
export function counted(lengthBytes: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([unsigned(lengthBytes, bytes.length), bytes]);
}
