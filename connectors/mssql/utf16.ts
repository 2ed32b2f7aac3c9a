import type { ByteSource } from '../../columnar/builders/index.ts';

/** From here on the native conversion is faster than the loop (PERFORMANCE.md, "SQL Server"). */
const LONG_BYTES = 128;
const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Converts UTF-16, little-endian, in `source.bytes[start, end)` to UTF-8 in `to` from `position` on, where three bytes
 * a code unit must be free. Returns the position behind it, or −1 where a surrogate lacks its other half.
 */
export function writeUtf8(
  source: ByteSource,
  start: number,
  end: number,
  to: Uint8Array<ArrayBuffer>,
  position: number,
): number {
  return end - start < LONG_BYTES
    ? writeShort(source.view, start, end, to, position)
    : writeLong(source.bytes, start, end, to, position);
}

function writeShort(view: DataView, start: number, end: number, to: Uint8Array, position: number): number {
  let from = start;
  let at = position;
  // Four ASCII characters at a time.
  while (from + 8 <= end) {
    const first = view.getUint32(from, true);
    const second = view.getUint32(from + 4, true);
    if (((first | second) & 0xff80ff80) !== 0) break;
    to[at] = first;
    to[at + 1] = first >>> 16;
    to[at + 2] = second;
    to[at + 3] = second >>> 16;
    from += 8;
    at += 4;
  }
  while (from < end) {
    const unit = view.getUint16(from, true);
    from += 2;
    if (unit < 0x80) {
      to[at++] = unit;
    } else if (unit < 0x800) {
      to[at] = 0xc0 | (unit >> 6);
      to[at + 1] = 0x80 | (unit & 0x3f);
      at += 2;
    } else if ((unit & 0xf800) !== 0xd800) {
      to[at] = 0xe0 | (unit >> 12);
      to[at + 1] = 0x80 | ((unit >> 6) & 0x3f);
      to[at + 2] = 0x80 | (unit & 0x3f);
      at += 3;
    } else {
      const low = from < end ? view.getUint16(from, true) : 0;
      if (unit >= 0xdc00 || (low & 0xfc00) !== 0xdc00) return -1;
      from += 2;
      const point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      to[at] = 0xf0 | (point >> 18);
      to[at + 1] = 0x80 | ((point >> 12) & 0x3f);
      to[at + 2] = 0x80 | ((point >> 6) & 0x3f);
      to[at + 3] = 0x80 | (point & 0x3f);
      at += 4;
    }
  }
  return at;
}

function writeLong(
  bytes: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array<ArrayBuffer>,
  position: number,
): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf16le');
  if (loneSurrogate.test(text)) return -1;
  return position + encoder.encodeInto(text, to.subarray(position)).written;
}
