/**
 * The slot table of an index: open addressing with linear probing over keyed hashes, little-endian, 16 bytes a slot:
 *   uint32   the hash's second word
 *   uint32   length of the row's image; 0 where the slot is empty
 *   float64  where the image begins among the records
 * A row's probing begins at the hash's first word, modulo the number of slots, which is a power of two. On a row's way
 * no other has its second word, so the first that has it is the row, or the key is not there. Without the exchange's
 * key the table tells nothing of any key, and nobody can choose keys that fall together.
 */
import { hkdfSync } from 'node:crypto';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { keyedHasher } from '../policy/keyed-hash.ts';

const SLOT_BYTES = 16;
/** Slots that are read at a time: one read finds nearly every key. */
const PROBE_SLOTS = 8;

export interface KeyHash {
  first: number;
  second: number;
}

/**
 * Of an exchange's indexes, derived from its subject key (RFC 5869): the log's hashes do not lead here.
 * @param salt raised where two rows of a version could not be told apart
 */
export function keyHasher(subjectKey: Uint8Array, salt: number): (text: string) => KeyHash {
  const hex = keyedHasher(new Uint8Array(hkdfSync('sha256', subjectKey, '', `huitong lookup index 1 ${salt}`, 32)));
  return (text) => {
    const hash = hex(Buffer.from(text));
    return { first: Number.parseInt(hash.slice(0, 8), 16), second: Number.parseInt(hash.slice(8, 16), 16) };
  };
}

/** Fills a table for a known number of rows. @throws LOOKUP_UNSUPPORTED for more than `limits.lookupRowsMax` */
export class SlotTable {
  readonly bytes: Buffer;
  readonly #mask: number;

  constructor(rows: number) {
    if (rows > limits.lookupRowsMax) {
      throw new HuitongError(
        'LOOKUP_UNSUPPORTED',
        `超过 ${limits.lookupRowsMax} 行的版本没有查询索引 · a version of more than ${limits.lookupRowsMax} rows has no index`,
      );
    }
    const slots = 2 ** Math.max(3, Math.ceil(Math.log2(rows * 1.5)));
    this.bytes = Buffer.alloc(slots * SLOT_BYTES);
    this.#mask = slots - 1;
  }

  /** False where a row on the way has the same word: the two could not be told apart, and another salt is needed. */
  add({ first, second }: KeyHash, start: number, length: number): boolean {
    let at = ((first & this.#mask) >>> 0) * SLOT_BYTES;
    while (this.bytes.readUInt32LE(at + 4) !== 0) {
      if (this.bytes.readUInt32LE(at) === second) return false;
      at = (at + SLOT_BYTES) % this.bytes.byteLength;
    }
    this.bytes.writeUInt32LE(second, at);
    this.bytes.writeUInt32LE(length, at + 4);
    this.bytes.writeDoubleLE(start, at + 8);
    return true;
  }
}

export interface Candidate {
  start: number;
  length: number;
  /** Whether the slot's word is the key's; else it is a row that only stands in for it. */
  same: boolean;
}

/** Reads `length` bytes from `start` of the slot table into memory that is valid until the next call. */
export type ReadSlots = (start: number, length: number) => Buffer;

/**
 * The row that probably has the key, or some row that stands in for it, so that what follows is the same work for a key
 * that is there and for one that is not. Of a table without rows: undefined.
 */
export function findSlot(read: ReadSlots, tableBytes: number, { first, second }: KeyHash): Candidate | undefined {
  const slots = tableBytes / SLOT_BYTES;
  let standIn: Candidate | undefined;
  let ended = false;
  for (let probed = 0, slot = first & (slots - 1); probed < slots; ) {
    const from = (slot >>> 0) % slots;
    const count = Math.min(PROBE_SLOTS, slots - from);
    const bytes = read(from * SLOT_BYTES, count * SLOT_BYTES);
    for (let at = 0; at < bytes.byteLength; at += SLOT_BYTES) {
      const length = bytes.readUInt32LE(at + 4);
      if (length === 0) {
        ended = true;
        continue;
      }
      const same = !ended && bytes.readUInt32LE(at) === second;
      if (same || standIn === undefined) standIn = { start: bytes.readDoubleLE(at + 8), length, same };
      if (same) return standIn;
    }
    if (ended && standIn !== undefined) return standIn;
    slot = from + count;
    probed += count;
  }
  return standIn;
}
