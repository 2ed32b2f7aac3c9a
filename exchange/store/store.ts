/**
 * Objects by digest. An object is immutable; its name is the SHA-256 of its stored bytes, in lower-case hex.
 * The file system and S3 are the two implementations; `test/exchange/store` runs one suite over both.
 */
import type { Readable } from 'node:stream';
import { HuitongError } from '../../lib/errors.ts';

export interface StoredObject {
  digest: string;
  sizeBytes: number;
}

export interface ListedObject extends StoredObject {
  /** When it was last put; putting it again makes it young, so that the collector leaves it alone for a while. */
  storedAt: Date;
}

export interface ByteRange {
  offset: number;
  length: number;
}

export interface ObjectStore {
  /**
   * Stores what `bytes` gives, hashing as it goes; visible under its digest only when whole and synced.
   * Where `expected` is given and differs, nothing is kept and DIGEST_MISMATCH is thrown.
   */
  put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredObject>;
  /** Throws OBJECT_MISSING. The bytes are not hashed again: see `verify`. */
  read(digest: string, range?: ByteRange): Promise<Readable>;
  stat(digest: string): Promise<ListedObject | undefined>;
  /** Hashes the stored bytes; a difference quarantines the object and throws OBJECT_CORRUPT. */
  verify(digest: string): Promise<StoredObject>;
  list(): AsyncIterable<ListedObject>;
  remove(digest: string): Promise<void>;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** Also what keeps a digest from a request inside the store: it becomes part of a path or a key. */
export function assertDigest(digest: string): void {
  if (!DIGEST.test(digest)) {
    throw new HuitongError('REQUEST_INVALID', 'a digest is 64 hexadecimal digits in lower case');
  }
}
