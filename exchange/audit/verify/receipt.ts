/**
 * A receipt proves that one leaf is in the log under a signed head. It holds the exact text of the leaf, so checking it
 * needs SHA-256, Ed25519 and this page, in any language:
 *   1. `head` is signed by the exchange's key; it names size and root.
 *   2. SHA-256(0x00 ‖ UTF-8 of `leaf`), `index` and `proof` lead to that root (RFC 6962).
 */
import type { KeyObject } from 'node:crypto';
import { HuitongError } from '../../../lib/errors.ts';
import { HASH_BYTES, leafHash } from './hashing.ts';
import { type SignedHead, verifyHead } from './head.ts';
import { verifyInclusion } from './proofs.ts';

export const RECEIPT_FORMAT = 'huitong.receipt/1';

export interface Receipt {
  format: typeof RECEIPT_FORMAT;
  /** The leaf's canonical JSON, exactly as it was hashed. */
  leaf: string;
  index: number;
  /** The signed note. */
  head: string;
  /** Hashes from the leaf to the root, base64. */
  proof: string[];
}

/** Throws AUDIT_VERIFY_FAILED; returns the head under which the leaf was found. */
export function verifyReceipt(receipt: unknown, publicKey: KeyObject): SignedHead {
  if (!isReceipt(receipt)) throw new HuitongError('AUDIT_VERIFY_FAILED', 'this is not a receipt');
  const head = verifyHead(receipt.head, publicKey);
  verifyInclusion(leafHash(Buffer.from(receipt.leaf)), receipt.index, head, decodeHashes(receipt.proof));
  return head;
}

/** Hashes from base64. Throws AUDIT_VERIFY_FAILED where one has not 32 bytes. */
function decodeHashes(proof: string[]): Buffer[] {
  return proof.map((text) => {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length !== HASH_BYTES) throw new HuitongError('AUDIT_VERIFY_FAILED', 'a hash has not 32 bytes');
    return bytes;
  });
}

function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== 'object' || value === null) return false;
  const { format, leaf, index, head, proof } = value as Partial<Record<keyof Receipt, unknown>>;
  const shaped = format === RECEIPT_FORMAT && typeof leaf === 'string' && typeof head === 'string';
  const proved = Array.isArray(proof) && proof.every((hash) => typeof hash === 'string');
  return shaped && proved && Number.isSafeInteger(index);
}
