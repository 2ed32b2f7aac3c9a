import { describe, expect, it } from 'vitest';
import { differingBuckets, haveSameBuckets } from '../../../exchange/publication/difference.ts';
import type { Manifest } from '../../../schemas/generated/manifest.ts';

/** Buckets by the letter that their digest is made of. */
function manifest(version: number, buckets: Record<number, string>, changes: Partial<Manifest> = {}): Manifest {
  const parts = Object.entries(buckets).map(([bucket, letter]) => ({
    digest: letter.repeat(64),
    sizeBytes: 1,
    rows: 1,
    bucket: Number(bucket),
  }));
  return {
    format: 'huitong.manifest/1',
    dataset: 'health.visits',
    version,
    contract: { version: '1.0.0', digest: 'c'.repeat(64) },
    arrowSchema: 'c2NoZW1h',
    plan: {},
    guarantee: 'snapshot',
    snapshotAt: '2026-03-01T00:00:00.000Z',
    rows: parts.length,
    bytes: parts.length,
    segments: [{ parts }],
    account: { rowsRead: 1, rowsPublished: 1, rowsQuarantined: 0 },
    buckets: { count: 8, key: ['id'], hash: 'fnv-murmur/1' },
    sums: {},
    ...changes,
  };
}

describe('the difference of two versions', () => {
  it('is the buckets that differ, those that came and those that went', () => {
    const before = manifest(1, { 0: 'a', 2: 'b', 5: 'c' });
    const after = manifest(4, { 0: 'a', 2: 'd', 7: 'e' });
    const found = [...differingBuckets(before, after)].map((pair) => [
      pair.bucket,
      pair.before?.digest[0],
      pair.after?.digest[0],
    ]);
    expect(found).toEqual([
      [2, 'b', 'd'],
      [5, 'c', undefined],
      [7, undefined, 'e'],
    ]);
    expect([...differingBuckets(after, after)]).toEqual([]);
  });

  it('needs versions that are divided alike', () => {
    const before = manifest(1, { 0: 'a' });
    expect(haveSameBuckets(before, manifest(2, { 1: 'b' }))).toBe(true);
    for (const other of [
      { buckets: { count: 16, key: ['id'], hash: 'fnv-murmur/1' } },
      { buckets: { count: 8, key: ['code'], hash: 'fnv-murmur/1' } },
      { buckets: { count: 8, key: ['id'], hash: 'other/2' } },
      { buckets: undefined },
      { arrowSchema: 'b3RoZXI=' },
    ]) {
      const after = manifest(2, { 0: 'b' }, other);
      expect(haveSameBuckets(before, after)).toBe(false);
      expect(() => [...differingBuckets(before, after)]).toThrow(/not divided alike/);
    }
  });
});
