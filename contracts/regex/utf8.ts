/** A range of code points as sequences of byte ranges (the method of RE2 and of Rust's utf8-ranges). */
const lastOfLength = [0x7f, 0x7ff, 0xffff, 0x10ffff];
const encoder = new TextEncoder();

/** Each sequence is one to four [low, high] byte ranges; surrogates have no UTF-8 and are left out. */
export function utf8Sequences(first: number, last: number): [number, number][][] {
  if (first > last) {
    return [];
  }
  if (first <= 0xdfff && last >= 0xd800) {
    return [...utf8Sequences(first, 0xd7ff), ...utf8Sequences(0xe000, last)].filter((s) => s.length > 0);
  }
  for (const edge of lastOfLength) {
    if (first <= edge && last > edge) {
      return [...utf8Sequences(first, edge), ...utf8Sequences(edge + 1, last)];
    }
  }
  // Split where trailing bytes would not cover their whole range.
  for (let trailing = 1; trailing < 4 && last > 0x7f; trailing++) {
    const mask = (1 << (6 * trailing)) - 1;
    if ((first & ~mask) !== (last & ~mask)) {
      if ((first & mask) !== 0) {
        return [...utf8Sequences(first, first | mask), ...utf8Sequences((first | mask) + 1, last)];
      }
      if ((last & mask) !== mask) {
        return [...utf8Sequences(first, (last & ~mask) - 1), ...utf8Sequences(last & ~mask, last)];
      }
    }
  }
  const low = encoder.encode(String.fromCodePoint(first));
  const high = encoder.encode(String.fromCodePoint(last));
  return [Array.from(low, (byte, i): [number, number] => [byte, high[i]!])];
}
