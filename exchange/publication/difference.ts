/** What lies between two versions of a dataset that is divided into buckets: the buckets that differ, and no others. */
import { HuitongError } from '../../lib/errors.ts';
import type { Manifest, ManifestPart } from '../../schemas/generated/manifest.ts';

/** One bucket in both versions; undefined where it has no rows. */
export interface DifferingBucket {
  bucket: number;
  before: ManifestPart | undefined;
  after: ManifestPart | undefined;
}

/** Whether the versions' buckets can be compared one by one: divided alike, by the same key, of the same columns. */
export function haveSameBuckets(before: Manifest, after: Manifest): boolean {
  const [one, two] = [before.buckets, after.buckets];
  if (one === undefined || two === undefined || before.arrowSchema !== after.arrowSchema) return false;
  return one.count === two.count && one.hash === two.hash && JSON.stringify(one.key) === JSON.stringify(two.key);
}

/**
 * Pairs of buckets whose rows differ, by bucket: within a pair the rows of both lie in the order of keys' hashes and
 * keys (`columnar/keys.ts`), so that inserted, updated and deleted rows are found by one walk. Buckets that differ only
 * in which of their keys are out of date are not among them. Throws REQUEST_INVALID unless `haveSameBuckets`.
 */
export function* differingBuckets(before: Manifest, after: Manifest): Generator<DifferingBucket> {
  if (!haveSameBuckets(before, after)) {
    throw new HuitongError('REQUEST_INVALID', 'the two versions are not divided alike: compare them row by row', {
      at: `${after.dataset} ${before.version}..${after.version}`,
    });
  }
  const [old, now] = [byBucket(before), byBucket(after)];
  const buckets = [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b);
  for (const bucket of buckets) {
    const pair = { bucket, before: old.get(bucket), after: now.get(bucket) };
    if (pair.before?.digest !== pair.after?.digest) yield pair;
  }
}

function byBucket({ segments }: Manifest): Map<number, ManifestPart> {
  const parts = segments.flatMap((segment) => segment.parts);
  return new Map(parts.flatMap((part) => (part.bucket === undefined ? [] : [[part.bucket, part] as const])));
}
