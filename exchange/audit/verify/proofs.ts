/**
 * Checking proofs, by the algorithms of RFC 9162 (the successor of RFC 6962, same hashes) sections 2.1.3.2 and 2.1.4.2.
 * Pure: hashes in, a verdict out. A proof that is too long or too short is refused like a wrong one.
 *
 * Indexes and sizes are JavaScript numbers up to 2^53 - 1, so they are halved by division and never by bit shifts.
 */
import { HuitongError } from '../../../lib/errors.ts';
import { EMPTY_ROOT, nodeHash } from './hashing.ts';

const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;

/** The root that `proof` leads to from the leaf at `index` of a tree of `size` leaves. Throws AUDIT_VERIFY_FAILED. */
function rootFromInclusion(leaf: Uint8Array, index: number, size: number, proof: Uint8Array[]): Uint8Array {
  if (!isCount(index) || !isCount(size) || index >= size) throw failed('the index lies outside the tree');
  let node = index;
  let last = size - 1;
  let root = leaf;
  for (const sibling of proof) {
    if (last === 0) throw failed('the inclusion proof is too long');
    if (isOdd(node) || node === last) {
      root = nodeHash(sibling, root);
      // A right edge without a sibling passes upward unchanged, and the proof skips those levels.
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw failed('the inclusion proof is too short');
  return root;
}

/** Throws AUDIT_VERIFY_FAILED unless the leaf is at `index` of the tree with that size and root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  tree: { size: number; root: Uint8Array },
  proof: Uint8Array[],
): void {
  if (!equal(rootFromInclusion(leaf, index, tree.size, proof), tree.root)) {
    throw failed('the inclusion proof leads to another root');
  }
}

/** Throws AUDIT_VERIFY_FAILED unless the tree `newer` begins with exactly the leaves of `older`. */
export function verifyConsistency(
  older: { size: number; root: Uint8Array },
  newer: { size: number; root: Uint8Array },
  proof: Uint8Array[],
): void {
  if (!isCount(older.size) || !isCount(newer.size) || older.size > newer.size) {
    throw failed('the newer head is smaller than the older one');
  }
  if (older.size === newer.size || older.size === 0) {
    const expected = older.size === 0 ? EMPTY_ROOT : newer.root;
    if (proof.length > 0 || !equal(older.root, expected)) throw failed('two heads of one size differ');
    return;
  }
  const { oldRoot, newRoot } = rootsFromConsistency(older, newer.size, proof);
  if (!equal(oldRoot, older.root)) throw failed('the consistency proof does not lead to the older root');
  if (!equal(newRoot, newer.root)) throw failed('the consistency proof does not lead to the newer root');
}

function rootsFromConsistency(
  older: { size: number; root: Uint8Array },
  newSize: number,
  proof: Uint8Array[],
): { oldRoot: Uint8Array; newRoot: Uint8Array } {
  let node = older.size - 1;
  let last = newSize - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  // Where the older tree is a whole subtree of the newer one, its root is the start and is not repeated in the proof.
  const path = node === 0 ? [older.root, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) throw failed('the consistency proof is empty');
  let oldRoot = start;
  let newRoot = start;
  for (const sibling of rest) {
    if (last === 0) throw failed('the consistency proof is too long');
    if (isOdd(node) || node === last) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw failed('the consistency proof is too short');
  return { oldRoot, newRoot };
}

/** The root of leaves that arrive one after the other, in memory of one hash a level. */
export class RootBuilder {
  #size = 0;
  /** Roots of the complete subtrees so far, largest first: one for each set bit of the size. */
  readonly #peaks: Uint8Array[] = [];

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    let node = leaf;
    for (let n = this.#size; isOdd(n); n = half(n)) node = nodeHash(this.#peaks.pop() as Uint8Array, node);
    this.#peaks.push(node);
    this.#size++;
  }

  root(): Uint8Array {
    if (this.#size === 0) return EMPTY_ROOT;
    return this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function failed(message: string): HuitongError {
  return new HuitongError('AUDIT_VERIFY_FAILED', message);
}
