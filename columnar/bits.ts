/** Bitmaps as Arrow has them: least significant bit first. */

/**
 * Copies `count` bits from `source` at bit `from` to `target` at bit `to`.
 * Bits of `target` beyond what is copied must be zero; they stay so.
 */
export function copyBits(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  let done = 0;
  if ((to & 7) === 0) {
    const shift = from & 7;
    const bytes = count >> 3;
    const start = from >> 3;
    const out = to >> 3;
    if (shift === 0) target.set(source.subarray(start, start + bytes), out);
    else {
      for (let i = 0; i < bytes; i++) {
        target[out + i] = (source[start + i]! >> shift) | (source[start + i + 1]! << (8 - shift));
      }
    }
    done = bytes * 8;
  }
  for (; done < count; done++) {
    const bit = from + done;
    if ((source[bit >> 3]! >> (bit & 7)) & 1) target[(to + done) >> 3]! |= 1 << ((to + done) & 7);
  }
}

export function bitmapBytes(bits: number): number {
  return (bits + 7) >> 3;
}

export function bitAt(bitmap: Uint8Array, bit: number): boolean {
  return ((bitmap[bit >> 3]! >> (bit & 7)) & 1) === 1;
}
