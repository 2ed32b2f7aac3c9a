/**
 * The two hashes of RFC 6962 section 2.1: a leaf is SHA-256(0x00 ‖ entry), an inner node SHA-256(0x01 ‖ left ‖ right).
 * The different first bytes keep a leaf from being passed off as a node.
 */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

export function leafHash(entry: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(entry.length + 1);
  message[0] = 0x00;
  message.set(entry, 1);
  return hash('sha256', message, 'buffer');
}

// One buffer for all calls: hashing is synchronous, so no two uses overlap.
const nodeMessage = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeMessage[0] = 0x01;

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeMessage.set(left, 1);
  nodeMessage.set(right, 1 + HASH_BYTES);
  return hash('sha256', nodeMessage, 'buffer');
}
