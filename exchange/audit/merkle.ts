/**
 * The Merkle tree of RFC 6962, as the sequencer holds it: nodes of complete subtrees, the newest of each level in
 * memory, everything else in tiles. A node is named by its height and its index within that height; node (0, i) is leaf
 * i, and node (h, i) covers the leaves from i × 2^h to (i + 1) × 2^h.
 *
 * A tile is 256 neighbouring nodes of a height that is a multiple of 8. It is stored once, when it is complete; the
 * seven heights in between are hashed again from it when they are needed.
 */
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './verify/hashing.ts';

export const TILE_NODES = 256;
export const TILE_HEIGHT = 8;
/** Nodes kept in memory at height 0; half as many at each height above, 1,024 at least: about 4 MiB in all. */
const NODES_KEPT_MAX = 65_536;
const NODES_KEPT_MIN = 1_024;

export interface NodeId {
  height: number;
  index: number;
}

/** Leaves from `start` (inclusive) to `end` (exclusive). */
export interface LeafRange {
  start: number;
  end: number;
}

export interface Tile {
  level: number;
  index: number;
  hashes: Buffer;
}

/** One tile level's incomplete last tile, as it is after a start. */
export interface EdgeRow {
  /** Index of the first node, a multiple of 256. */
  base: number;
  nodes: Buffer[];
}

export class MerkleTree {
  #size = 0;
  readonly #rows: NodeRow[] = [];
  #fullTiles: Tile[] = [];
  /** Hashes of ranges that end at the current size, by their start: every proof of one flush shares them. */
  readonly #edge = new Map<number, Buffer>();

  /** The tree of `size` leaves, from the right edge of each tile level (see `restore.ts`). */
  static resume(size: number, edges: EdgeRow[]): MerkleTree {
    const tree = new MerkleTree();
    tree.#size = size;
    for (const [level, edge] of edges.entries()) {
      let { base, nodes } = edge;
      for (let up = 0; up < TILE_HEIGHT; up++) {
        const row = tree.#row(level * TILE_HEIGHT + up);
        for (const [i, node] of nodes.entries()) row.push(base + i, node);
        nodes = pairUp(nodes);
        base /= 2;
      }
    }
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Buffer): void {
    this.#edge.clear();
    let index = this.#size++;
    let node = leaf;
    this.#put(0, index, node);
    for (let height = 1; index % 2 === 1; height++) {
      node = nodeHash(this.#rows[height - 1]?.get(index - 1) as Buffer, node);
      index = (index - 1) / 2;
      this.#put(height, index, node);
    }
  }

  /** Tiles that were completed since the last call. */
  takeFullTiles(): Tile[] {
    const tiles = this.#fullTiles;
    this.#fullTiles = [];
    return tiles;
  }

  /** A complete node that is still in memory. It is a view: copy it before the next append. */
  node({ height, index }: NodeId): Buffer | undefined {
    return this.#rows[height]?.get(index);
  }

  root(): Buffer {
    return this.#size === 0 ? EMPTY_ROOT : this.#hashRange({ start: 0, end: this.#size });
  }

  /**
   * The proof of one of the newest leaves (a flush is far smaller than what is kept): what it needs is in memory, because
   * its left neighbours are either as new or part of the right edge. Older leaves: `ProofReader`.
   */
  inclusionProof(index: number): Buffer[] {
    return inclusionRanges(index, this.#size).map((range) => this.#hashRange(range));
  }

  #hashRange(range: LeafRange): Buffer {
    const known = this.#edge.get(range.start);
    if (known !== undefined && range.end === this.#size) return known;
    const hash = Buffer.from(foldPeaks(peaksOf(range).map((id) => this.node(id) as Buffer)));
    if (range.end === this.#size) this.#edge.set(range.start, hash);
    return hash;
  }

  #put(height: number, index: number, node: Buffer): void {
    const row = this.#row(height);
    row.push(index, node);
    if (height % TILE_HEIGHT === 0 && index % TILE_NODES === TILE_NODES - 1) {
      const hashes = row.slice(index + 1 - TILE_NODES, index + 1);
      this.#fullTiles.push({ level: height / TILE_HEIGHT, index: Math.floor(index / TILE_NODES), hashes });
    }
  }

  #row(height: number): NodeRow {
    const kept = Math.max(NODES_KEPT_MIN, Math.floor(NODES_KEPT_MAX / 2 ** height));
    this.#rows[height] ??= new NodeRow(kept);
    return this.#rows[height];
  }
}

/** The newest nodes of one height, side by side in one buffer. */
class NodeRow {
  #base = 0;
  #count = 0;
  readonly #bytes: Buffer;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = Buffer.alloc(capacity * HASH_BYTES);
  }

  push(index: number, node: Buffer): void {
    if (this.#count === 0) this.#base = index;
    if (this.#count === this.#capacity) this.#dropOlderHalf();
    node.copy(this.#bytes, this.#count * HASH_BYTES);
    this.#count++;
  }

  get(index: number): Buffer | undefined {
    const position = index - this.#base;
    if (position < 0 || position >= this.#count) return undefined;
    return this.#bytes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
  }

  /** A copy of the nodes from `start` to `end`. */
  slice(start: number, end: number): Buffer {
    return Buffer.from(this.#bytes.subarray((start - this.#base) * HASH_BYTES, (end - this.#base) * HASH_BYTES));
  }

  #dropOlderHalf(): void {
    const dropped = this.#capacity / 2;
    this.#bytes.copyWithin(0, dropped * HASH_BYTES);
    this.#base += dropped;
    this.#count -= dropped;
  }
}

/** RFC 6962 section 2.1.1: the ranges whose hashes prove leaf `index` in a tree of `size`, from the leaf upward. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** RFC 6962 section 2.1.2: the ranges whose hashes prove that the tree of `older` leaves begins the one of `newer`. */
export function consistencyRanges(older: number, newer: number): LeafRange[] {
  if (older === 0 || older === newer) return [];
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = newer;
  while (older !== end) {
    const middle = start + splitPoint(end - start);
    if (older <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The older root itself is known to the verifier: it is sent only where it is not the whole older tree.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** The complete subtrees of a range, largest first. `range.start` must be where such a range can begin. */
export function peaksOf({ start, end }: LeafRange): NodeId[] {
  const peaks: NodeId[] = [];
  let at = start;
  while (at < end) {
    const height = Math.floor(Math.log2(end - at));
    peaks.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return peaks;
}

/** The hash of a range from its complete subtrees, largest first. */
export function foldPeaks(peaks: Buffer[]): Buffer {
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** The root of `2^n` neighbouring nodes. */
export function rootOf(nodes: Buffer[]): Buffer {
  let row = nodes;
  while (row.length > 1) row = pairUp(row);
  return row[0] as Buffer;
}

/** The nodes one height up; a last one without a partner is not complete there and falls away. */
function pairUp(nodes: Buffer[]): Buffer[] {
  const pairs: Buffer[] = [];
  for (let i = 0; i + 1 < nodes.length; i += 2) pairs.push(nodeHash(nodes[i] as Buffer, nodes[i + 1] as Buffer));
  return pairs;
}

/** The largest power of two below `count`; `count` is at least 2. Exact: log2 of an integer up to 2^48 rounds safely. */
function splitPoint(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}
