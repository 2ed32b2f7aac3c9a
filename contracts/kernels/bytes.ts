/** Kernels over UTF-8 columns: offsets and bytes, no string is made. */
import { isUtf8 } from 'node:buffer';
import type { Kernel } from '../check.ts';
import type { ByteFormat } from '../formats/text.ts';
import type { Automaton } from '../regex/automaton.ts';
import { type FixedShape, fixedShape } from '../regex/shape.ts';

/** Lengths count code points: bytes that do not continue a character. */
export function lengthRange(min: number, max: number): Kernel {
  return (column, from, to, mask) => {
    const offsets: Int32Array = column.valueOffsets;
    const bytes: Uint8Array = column.values;
    let start = offsets[from]!;
    for (let row = from; row < to; row++) {
      const end = offsets[row + 1]!;
      const size = end - start;
      // A code point takes one to four bytes: most cells are decided by their size.
      if (size > max || size < min * 4) {
        mask[row] = mask[row]! | (size > max * 4 || size < min ? 1 : Number(!inRange(bytes, start, end, min, max)));
      }
      start = end;
    }
  };
}

/** One bit in each byte of a word. */
const ones = 0x01010101;

/** Counts the bytes 10xxxxxx that continue a character, four at a time, and takes them from the size. */
function inRange(bytes: Uint8Array, start: number, end: number, min: number, max: number): boolean {
  let points = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    points -= Math.imul((word >>> 7) & ~(word >>> 6) & ones, ones) >>> 24;
  }
  for (; i < end; i++) {
    points -= (bytes[i]! & 0xc0) === 0x80 ? 1 : 0;
  }
  return points >= min && points <= max;
}

/** Fixed shapes are tested position by position, without one look-up waiting for the one before. */
export function matches(automaton: Automaton): Kernel {
  const shape = fixedShape(automaton);
  return shape === null ? matchesAutomaton(automaton) : matchesShape(shape);
}

function matchesShape({ length, refuses, classBits }: FixedShape): Kernel {
  return (column, from, to, mask) => {
    const offsets: Int32Array = column.valueOffsets;
    const bytes: Uint8Array = column.values;
    for (let row = from; row < to; row++) {
      const start = offsets[row]!;
      let refused = Number(offsets[row + 1]! - start !== length);
      for (let i = 0; refused === 0 && i < length; i++) {
        refused |= refuses[bytes[start + i]!]! & classBits[i]!;
      }
      mask[row] = mask[row]! | Number(refused !== 0);
    }
  };
}

function matchesAutomaton(automaton: Automaton): Kernel {
  const { accepts } = automaton;
  // States as offsets into the table save a shift a byte.
  const next = Int32Array.from(automaton.next, (state) => state << 8);
  const initial = automaton.start << 8;
  return (column, from, to, mask) => {
    const offsets: Int32Array = column.valueOffsets;
    const bytes: Uint8Array = column.values;
    let start = offsets[from]!;
    for (let row = from; row < to; row++) {
      const end = offsets[row + 1]!;
      let state = initial;
      for (let i = start; i < end; i++) {
        state = next[state + bytes[i]!]!;
      }
      mask[row] = mask[row]! | (accepts[state >> 8]! ^ 1);
      start = end;
    }
  };
}

export function hasFormat(format: ByteFormat): Kernel {
  return (column, from, to, mask) => {
    const offsets: Int32Array = column.valueOffsets;
    const bytes: Uint8Array = column.values;
    for (let row = from; row < to; row++) {
      if (!format(bytes, offsets[row]!, offsets[row + 1]!)) {
        mask[row] = 1;
      }
    }
  };
}

/** FNV-1a over a cell's bytes, mixed; the table is at most a quarter full. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/** Membership of a list of texts. */
export function oneOfTexts(texts: string[]): Kernel {
  const members = [...new Set(texts)].map((text) => new TextEncoder().encode(text));
  const lengthMax = members.reduce((longest, m) => Math.max(longest, m.length), 0);
  const capacity = 2 ** Math.max(4, Math.ceil(Math.log2(members.length * 4 + 1)));
  const slots = new Int32Array(capacity).fill(-1);
  members.forEach((member, index) => {
    let slot = hashOf(member, 0, member.length) & (capacity - 1);
    while (slots[slot]! >= 0) {
      slot = (slot + 1) & (capacity - 1);
    }
    slots[slot] = index;
  });
  const holds = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (end - start > lengthMax) {
      return false;
    }
    let slot = hashOf(bytes, start, end) & (capacity - 1);
    for (let index = slots[slot]!; index >= 0; index = slots[slot]!) {
      if (sameBytes(members[index]!, bytes, start, end)) {
        return true;
      }
      slot = (slot + 1) & (capacity - 1);
    }
    return false;
  };
  return hasFormat(holds);
}

function sameBytes(member: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (member.length !== end - start) {
    return false;
  }
  for (let i = 0; i < member.length; i++) {
    if (member[i] !== bytes[start + i]) {
      return false;
    }
  }
  return true;
}

/**
 * Every cell is UTF-8. The whole range is tested at once; it can be valid while a character is cut between two cells,
 * so each cell must also begin a character.
 */
export const validUtf8: Kernel = (column, from, to, mask) => {
  const offsets: Int32Array = column.valueOffsets;
  const bytes: Uint8Array = column.values;
  if (to > from && isUtf8(bytes.subarray(offsets[from], offsets[to])) && !cutsCharacter(offsets, bytes, from, to)) {
    return;
  }
  for (let row = from; row < to; row++) {
    if (!isUtf8(bytes.subarray(offsets[row], offsets[row + 1]))) {
      mask[row] = 1;
    }
  }
};

function cutsCharacter(offsets: Int32Array, bytes: Uint8Array, from: number, to: number): boolean {
  let cut = 0;
  for (let row = from; row < to; row++) {
    const start = offsets[row]!;
    // An empty cell reads its neighbour's first byte, or nothing at the very end: both are harmless.
    cut |= start < offsets[row + 1]! && (bytes[start]! & 0xc0) === 0x80 ? 1 : 0;
  }
  return cut === 1;
}
