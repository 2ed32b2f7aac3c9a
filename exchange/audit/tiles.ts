/** Reading the tree from what is stored: its right edge at a start, and proofs of any age. */
import { HuitongError } from '../../lib/errors.ts';
import {
  consistencyRanges,
  type EdgeRow,
  foldPeaks,
  inclusionRanges,
  type LeafRange,
  MerkleTree,
  type NodeId,
  peaksOf,
  rootOf,
  TILE_HEIGHT,
  TILE_NODES,
} from './merkle.ts';
import { EMPTY_ROOT, HASH_BYTES, leafHash } from './verify/hashing.ts';

export interface TileSource {
  /** Full tiles of one level, in order, from index `start` to `end` (exclusive). */
  tiles(level: number, start: number, end: number): Promise<Buffer[]>;
  /** Entries from index `start` to `end` (exclusive). */
  entries(start: number, end: number): Promise<Buffer[]>;
}

/**
 * The tree of `size` leaves. It reads the right edge only: at most 255 entries, and 255 tiles (2 MiB) a tile level;
 * a log of a billion leaves has four.
 */
export async function restoreTree(size: number, source: TileSource): Promise<MerkleTree> {
  const edges: EdgeRow[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_NODES)) {
    const base = count - (count % TILE_NODES);
    edges.push({ base, nodes: await edgeNodes(level, base, count, source) });
  }
  return MerkleTree.resume(size, edges);
}

async function edgeNodes(level: number, start: number, end: number, source: TileSource): Promise<Buffer[]> {
  if (start === end) return [];
  const rows = level === 0 ? await source.entries(start, end) : await source.tiles(level - 1, start, end);
  requireRows(rows, end - start);
  return level === 0 ? rows.map(leafHash) : rows.map((tile) => rootOf(nodesOf(tile)));
}

function requireRows(rows: Buffer[], expected: number): void {
  if (rows.length !== expected)
    throw new HuitongError('AUDIT_CORRUPT', 'entries or tiles of the audit log are missing');
}

/** Proofs for any leaf and any two sizes up to the tree's own: from memory where the nodes are there, else from tiles. */
export class ProofReader {
  readonly #tree: MerkleTree;
  readonly #source: TileSource;

  constructor(tree: MerkleTree, source: TileSource) {
    this.#tree = tree;
    this.#source = source;
  }

  async rootAt(size: number): Promise<Buffer> {
    if (size === 0) return EMPTY_ROOT;
    const [root] = await this.#hashes([{ start: 0, end: size }]);
    return root as Buffer;
  }

  inclusion(index: number, size: number): Promise<Buffer[]> {
    return this.#hashes(inclusionRanges(index, size));
  }

  consistency(older: number, newer: number): Promise<Buffer[]> {
    return this.#hashes(consistencyRanges(older, newer));
  }

  async #hashes(ranges: LeafRange[]): Promise<Buffer[]> {
    const tiles = new Map<string, Promise<Buffer[]>>();
    const hashes: Buffer[] = [];
    for (const range of ranges) {
      const peaks: Buffer[] = [];
      for (const id of peaksOf(range)) peaks.push(await this.#node(id, tiles));
      hashes.push(foldPeaks(peaks));
    }
    return hashes;
  }

  async #node(id: NodeId, tiles: Map<string, Promise<Buffer[]>>): Promise<Buffer> {
    const kept = this.#tree.node(id);
    if (kept !== undefined) return Buffer.from(kept);
    const level = Math.floor(id.height / TILE_HEIGHT);
    const width = 2 ** (id.height % TILE_HEIGHT);
    const first = id.index * width;
    const tile = Math.floor(first / TILE_NODES);
    const key = `${level}/${tile}`;
    if (!tiles.has(key)) tiles.set(key, this.#readTile(level, tile));
    const nodes = (await tiles.get(key)) as Buffer[];
    return rootOf(nodes.slice(first % TILE_NODES, (first % TILE_NODES) + width));
  }

  async #readTile(level: number, index: number): Promise<Buffer[]> {
    const rows = await this.#source.tiles(level, index, index + 1);
    requireRows(rows, 1);
    return nodesOf(rows[0] as Buffer);
  }
}

function nodesOf(tile: Buffer): Buffer[] {
  return Array.from({ length: TILE_NODES }, (_, i) => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
