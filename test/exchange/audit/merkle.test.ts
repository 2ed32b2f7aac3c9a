import fc from 'fast-check';
import { expect, test } from 'vitest';
import { consistencyRanges, MerkleTree, peaksOf, TILE_NODES, type Tile } from '../../../exchange/audit/merkle.ts';
import { ProofReader, restoreTree, type TileSource } from '../../../exchange/audit/tiles.ts';
import { EMPTY_ROOT, leafHash, nodeHash } from '../../../exchange/audit/verify/hashing.ts';
import { RootBuilder, verifyConsistency, verifyInclusion } from '../../../exchange/audit/verify/proofs.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The eight leaves, roots and paths of certificate-transparency's own tests (merkletree/merkle_tree_test.cc). */
const ctLeaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ctRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const ctInclusion: [index: number, size: number, path: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const ctConsistency: [older: number, newer: number, path: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

const treeOf = (hashes: Buffer[]): MerkleTree => {
  const tree = new MerkleTree();
  for (const hash of hashes) tree.append(hash);
  return tree;
};
const numbered = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
const readerOf = (tree: MerkleTree) => new ProofReader(tree, nothingStored);
const nothingStored: TileSource = {
  tiles: () => Promise.reject(new Error('a stored tile was asked for')),
  entries: () => Promise.reject(new Error('a stored entry was asked for')),
};

test('the empty tree and the certificate-transparency trees of one to eight leaves have their published roots', () => {
  expect(hex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(hex(new MerkleTree().root())).toBe(hex(EMPTY_ROOT));
  const hashes = ctLeaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
  for (const [i, root] of ctRoots.entries()) {
    expect(hex(treeOf(hashes.slice(0, i + 1)).root())).toBe(root);
  }
});

test('inclusion and consistency proofs are the published certificate-transparency paths', async () => {
  const hashes = ctLeaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
  const proofs = readerOf(treeOf(hashes));
  for (const [index, size, path] of ctInclusion) {
    expect((await proofs.inclusion(index, size)).map(hex)).toEqual(path);
  }
  for (const [older, newer, path] of ctConsistency) {
    expect((await proofs.consistency(older, newer)).map(hex)).toEqual(path);
  }
});

/** RFC 6962 section 2.1 word for word, to compare with. */
function merkleTreeHash(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0] as Buffer;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)));
}

test('tree, root builder and the definition agree, and every proof of every leaf verifies, up to 70 leaves', async () => {
  for (let size = 0; size <= 70; size++) {
    const hashes = numbered(size);
    const tree = treeOf(hashes);
    const builder = new RootBuilder();
    for (const hash of hashes) builder.add(hash);
    const root = merkleTreeHash(hashes);
    expect(hex(tree.root())).toBe(hex(root));
    expect(hex(builder.root())).toBe(hex(root));
    for (const [index, hash] of hashes.entries()) {
      verifyInclusion(hash, index, { size, root }, tree.inclusionProof(index));
    }
    for (let older = 0; older <= size; older++) {
      const proof = await readerOf(tree).consistency(older, size);
      verifyConsistency({ size: older, root: merkleTreeHash(hashes.slice(0, older)) }, { size, root }, proof);
    }
  }
});

test('a changed leaf, index, size, root or proof is refused where the true one is accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (size, pick, bit) => {
      const hashes = numbered(size);
      const tree = treeOf(hashes);
      const index = pick % size;
      const leaf = hashes[index] as Buffer;
      const good = { size, root: tree.root() };
      const proof = tree.inclusionProof(index);
      const flip = (hash: Uint8Array) => Buffer.from(hash.map((byte, i) => (i === bit % 32 ? byte ^ 1 : byte)));
      verifyInclusion(leaf, index, good, proof);
      const wrong = { code: 'AUDIT_VERIFY_FAILED' };
      const refused = (run: () => void) => expect(run).toThrow(expect.objectContaining(wrong));
      refused(() => verifyInclusion(flip(leaf), index, good, proof));
      refused(() => verifyInclusion(leaf, (index + 1) % size, good, proof));
      refused(() => verifyInclusion(leaf, index, { ...good, root: flip(good.root) }, proof));
      refused(() => verifyInclusion(leaf, index, good, proof.slice(1)));
      refused(() => verifyInclusion(leaf, index, good, [...proof, leaf]));
      const at = bit % proof.length;
      refused(() => verifyInclusion(leaf, index, good, proof.with(at, flip(proof[at] as Buffer))));
      refused(() => verifyInclusion(leaf, index + size, good, proof));
    }),
  );
});

test('a consistency proof is refused where the older tree had another leaf', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.nat(200), fc.nat(), async (older, more, pick) => {
      const hashes = numbered(older + more);
      const newer = { size: hashes.length, root: merkleTreeHash(hashes) };
      const proof = await readerOf(treeOf(hashes)).consistency(older, newer.size);
      verifyConsistency({ size: older, root: merkleTreeHash(hashes.slice(0, older)) }, newer, proof);
      const forged = hashes.slice(0, older).with(pick % older, leafHash(Buffer.from('forged')));
      expect(() => verifyConsistency({ size: older, root: merkleTreeHash(forged) }, newer, proof)).toThrow(
        expect.objectContaining({ code: 'AUDIT_VERIFY_FAILED' }),
      );
    }),
  );
});

/** What a database would hold of a tree: its full tiles and its entries. */
class StoredTiles implements TileSource {
  readonly #tiles = new Map<string, Buffer>();
  readonly #entries: Buffer[];

  constructor(entries: Buffer[]) {
    this.#entries = entries;
  }

  keep(tiles: Tile[]): void {
    for (const { level, index, hashes } of tiles) this.#tiles.set(`${level}/${index}`, hashes);
  }

  async tiles(level: number, start: number, end: number): Promise<Buffer[]> {
    return Array.from({ length: end - start }, (_, i) => this.#tiles.get(`${level}/${start + i}`) as Buffer);
  }

  async entries(start: number, end: number): Promise<Buffer[]> {
    return this.#entries.slice(start, end);
  }
}

test('a tree restored from tiles goes on as the one that was never stopped, and proves leaves that left its memory', async () => {
  const entries = Array.from({ length: TILE_NODES * TILE_NODES + 5_000 }, (_, i) => Buffer.from(`entry ${i}`));
  const stored = new StoredTiles(entries);
  const whole = new MerkleTree();
  const stops = new Set([1, 255, 256, 257, 511, 65_535, 65_536, 65_537, 65_536 + 700]);
  const restored: { tree: MerkleTree; from: number }[] = [];
  for (const [i, entry] of entries.entries()) {
    whole.append(leafHash(entry));
    for (const { tree } of restored) tree.append(leafHash(entry));
    stored.keep(whole.takeFullTiles());
    if (stops.has(i + 1)) {
      const tree = await restoreTree(i + 1, stored);
      expect(hex(tree.root())).toBe(hex(whole.root()));
      restored.push({ tree, from: i + 1 });
    }
  }
  const root = whole.root();
  const size = whole.size;
  for (const { tree, from } of restored) {
    expect(hex(tree.root())).toBe(hex(root));
    const newest = size - 1;
    verifyInclusion(leafHash(entries[newest] as Buffer), newest, { size, root }, tree.inclusionProof(newest));
    const proofs = new ProofReader(tree, stored);
    for (const index of [0, 300, 40_000, 65_535, from - 1]) {
      verifyInclusion(leafHash(entries[index] as Buffer), index, { size, root }, await proofs.inclusion(index, size));
    }
    const older = { size: from, root: await proofs.rootAt(from) };
    verifyConsistency(older, { size, root }, await proofs.consistency(from, size));
  }
});

test('sizes beyond 2^32 are cut into subtrees without losing a bit', () => {
  const end = 2 ** 40 + 2 ** 33 + 1;
  expect(peaksOf({ start: 0, end })).toEqual([
    { height: 40, index: 0 },
    { height: 33, index: 2 ** 7 },
    { height: 0, index: end - 1 },
  ]);
  expect(consistencyRanges(2 ** 40, 2 ** 40 + 1)).toEqual([{ start: 2 ** 40, end: 2 ** 40 + 1 }]);
});
