/**
 * Checks a whole export offline: every leaf is hashed again, and the root must be the signed one.
 *
 * An export is JSON lines. The first is `{ format, head }`; then one line a leaf, `{ index, leaf }`, from index 0
 * without a gap, as many as the head's size.
 */
import type { KeyObject } from 'node:crypto';
import { HuitongError } from '../../../lib/errors.ts';
import { leafHash } from './hashing.ts';
import { type SignedHead, verifyHead } from './head.ts';
import { RootBuilder } from './proofs.ts';
import { type Receipt, verifyReceipt } from './receipt.ts';

export const EXPORT_FORMAT = 'huitong.audit-export/1';

export interface VerifyExportOptions {
  publicKey: KeyObject;
  /** Heads that the verifier kept from before (notes): the export must begin with exactly their leaves. */
  earlierHeads?: string[];
  /** Receipts that must be found in the export, leaf by leaf. */
  receipts?: Receipt[];
}

export interface VerifiedExport {
  head: SignedHead;
  leaves: number;
  earlierHeads: number;
  receipts: number;
}

/** Reads lines (without their newline). Throws AUDIT_VERIFY_FAILED at the first line that is wrong. */
export async function verifyExport(
  lines: AsyncIterable<string>,
  options: VerifyExportOptions,
): Promise<VerifiedExport> {
  const earlier = (options.earlierHeads ?? []).map((note) => verifyHead(note, options.publicKey));
  const receipts = options.receipts ?? [];
  for (const receipt of receipts) verifyReceipt(receipt, options.publicKey);
  const receiptsByIndex = groupByIndex(receipts);

  const tree = new RootBuilder();
  const met = new Set<SignedHead>();
  const compareHeads = () => {
    for (const head of earlier) if (head.size === tree.size) met.add(requireRoot(tree, head));
  };
  let head: SignedHead | undefined;
  for await (const line of lines) {
    if (head === undefined) {
      head = verifyHead(readHeader(line), options.publicKey);
      compareHeads();
      continue;
    }
    const leaf = readLeaf(line, tree.size);
    for (const receipt of receiptsByIndex.get(tree.size) ?? []) {
      if (receipt.leaf !== leaf) throw failed('the log holds another leaf than the receipt', tree.size);
    }
    tree.add(leafHash(Buffer.from(leaf)));
    compareHeads();
  }
  if (head === undefined) throw failed('the export is empty', 0);
  if (tree.size !== head.size) throw failed(`the head counts ${head.size} leaves, the export ${tree.size}`, tree.size);
  requireRoot(tree, head);
  if (met.size < earlier.length) throw failed('the log is smaller than a head that was kept from before', tree.size);
  const beyond = receipts.find((receipt) => receipt.index >= tree.size);
  if (beyond !== undefined) throw failed('a receipt lies beyond the end of the log', beyond.index);
  return { head, leaves: tree.size, earlierHeads: met.size, receipts: receipts.length };
}

function groupByIndex(receipts: Receipt[]): Map<number, Receipt[]> {
  const groups = new Map<number, Receipt[]>();
  for (const receipt of receipts) groups.set(receipt.index, [...(groups.get(receipt.index) ?? []), receipt]);
  return groups;
}

function requireRoot(tree: RootBuilder, head: SignedHead): SignedHead {
  if (head.root.equals(tree.root())) return head;
  throw failed('the leaves do not lead to the signed root: a row was changed, added, removed or moved', tree.size);
}

function readHeader(line: string): string {
  const header = parseLine(line, 0);
  if (header.format !== EXPORT_FORMAT || typeof header.head !== 'string') {
    throw new HuitongError('AUDIT_VERIFY_FAILED', 'this is not an export of the audit log', { at: 'line 1' });
  }
  return header.head;
}

function readLeaf(line: string, index: number): string {
  const entry = parseLine(line, index);
  if (entry.index !== index || typeof entry.leaf !== 'string') throw failed('a leaf is missing or out of order', index);
  return entry.leaf;
}

function parseLine(line: string, index: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new HuitongError('AUDIT_VERIFY_FAILED', 'a line is not JSON', { at: `leaf ${index}`, cause });
  }
  throw failed('a line is not an object', index);
}

function failed(message: string, index: number): HuitongError {
  return new HuitongError('AUDIT_VERIFY_FAILED', message, { at: `leaf ${index}` });
}
