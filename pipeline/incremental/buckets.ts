/** Which bucket a key is in: the first bits of its hash. Numbers of buckets are powers of two. */
import { limits } from '../../lib/limits.ts';

/** The greatest first half of a hash that lies in the bucket. */
export function lastHighOf(bucket: number, buckets: number): number {
  return (bucket + 1) * (2 ** 32 / buckets) - 1;
}

/** For rows of so many decoded bytes; the number stays with the dataset, so it leaves room to grow. */
export function bucketsFor(bytes: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, bytes / limits.bucketBytesWanted)));
  return Math.min(wanted, limits.bucketsMax);
}
