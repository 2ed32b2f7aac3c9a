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

/** An object that is there, for reading it in any order without asking for it again. */
export interface OpenObject {
  sizeBytes: number;
  /**
   * All, or a range. The chunks are lent: each holds until the next is asked for, and who keeps one copies it. So a
   * reader holds one chunk however slow it is. Throws REQUEST_INVALID for a range that is not in it.
   */
  lend(range?: ByteRange): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

export interface ObjectStore {
  /**
   * Stores what `bytes` gives, hashing as it goes; visible under its digest only when whole and synced.
   * Where `expected` is given and differs, nothing is kept and DIGEST_MISMATCH is thrown.
   */
  put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredObject>;
  /** Throws OBJECT_MISSING. The bytes are not hashed again: see `verify`. */
  open(digest: string): Promise<OpenObject>;
  /** The same as a stream, whose chunks are one's own. */
  read(digest: string, range?: ByteRange): Promise<Readable>;
  stat(digest: string): Promise<ListedObject | undefined>;
  /** Hashes the stored bytes; a difference quarantines the object and throws OBJECT_CORRUPT. */
  verify(digest: string): Promise<StoredObject>;
  list(): AsyncIterable<ListedObject>;
  remove(digest: string): Promise<void>;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** @throws REQUEST_INVALID for a range that is not within the object */
export function rangeWithin({ digest, sizeBytes }: StoredObject, range?: ByteRange): ByteRange {
  const { offset, length } = range ?? { offset: 0, length: sizeBytes };
  if (offset >= 0 && length >= 0 && offset + length <= sizeBytes) return { offset, length };
  throw new HuitongError('REQUEST_INVALID', `the range ${offset}+${length} lies outside of ${sizeBytes} bytes`, {
    at: digest,
  });
}

/** Also what keeps a digest from a request inside the store: it becomes part of a path or a key. */
export function assertDigest(digest: string): void {
  if (!DIGEST.test(digest)) {
    throw new HuitongError('REQUEST_INVALID', 'a digest is 64 hexadecimal digits in lower case');
  }
}
