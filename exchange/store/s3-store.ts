/**
 * Objects in a bucket of S3, or of anything that speaks its protocol: `objects/ab/cdef…` named by digest, `quarantine/`
 * for what was found damaged. An object is spooled to a local file while it is hashed, so that its name, its length and
 * its checksum are known before the first byte leaves; the service compares the checksum, so a truncated or damaged
 * upload never becomes visible.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { makeScratch } from '../../lib/scratch.ts';
import {
  assertDigest,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  type OpenObject,
  rangeWithin,
  type StoredObject,
} from './store.ts';

export interface S3Options {
  bucket: string;
  /** Before every key, for a bucket that is shared; without slashes around it. */
  prefix?: string;
  region: string;
  /** Of a service that is not Amazon's; buckets are then addressed in the path. */
  endpoint?: string;
  /** Absent: the SDK's own chain (environment, profile, instance role). */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/**
 * Opens the store and sees whether the bucket is there. 500, 503 and SlowDown are tried again with back-off by the SDK.
 * @throws STORE_UNREACHABLE where the service does not answer, refuses the credentials, or has no such bucket
 */
export async function openS3Store(options: S3Options): Promise<ObjectStore & { close(): Promise<void> }> {
  const client = createS3Client(options);
  const spool = await makeScratch('spool');
  const store = new S3Store(client, options, spool);
  try {
    await client.send(new HeadBucketCommand({ Bucket: options.bucket }));
    return store;
  } catch (cause: unknown) {
    await store.close();
    throw new HuitongError('STORE_UNREACHABLE', 'the bucket cannot be used', { at: options.bucket, cause });
  }
}

export function createS3Client({ region, endpoint, credentials }: S3Options): S3Client {
  return new S3Client({
    region,
    credentials,
    maxAttempts: limits.storeAttemptsMax,
    retryMode: 'standard',
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
}

class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #spool: string;

  constructor(client: S3Client, { bucket, prefix }: S3Options, spool: string) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix ? `${prefix}/` : '';
    this.#spool = spool;
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredObject> {
    const path = join(this.#spool, randomUUID());
    try {
      const { digest, sizeBytes } = await spoolTo(path, bytes);
      if (expected !== undefined && expected !== digest) {
        throw new HuitongError('DIGEST_MISMATCH', 'what arrived has another digest than was announced', {
          at: expected,
        });
      }
      // Also over an object of that name: it makes the object young again for the collector, and heals a damaged one.
      await this.#call(digest, () => this.#upload(path, digest, sizeBytes));
      return { digest, sizeBytes };
    } finally {
      await rm(path, { force: true });
    }
  }

  async open(digest: string): Promise<OpenObject> {
    const found = await this.#found(digest);
    const streamOf = (range?: ByteRange) => this.#stream(found, range);
    return {
      sizeBytes: found.sizeBytes,
      async *lend(range) {
        yield* await streamOf(range);
      },
      close: async () => {},
    };
  }

  async read(digest: string, range?: ByteRange): Promise<Readable> {
    return this.#stream(await this.#found(digest), range);
  }

  async #found(digest: string): Promise<StoredObject> {
    const found = await this.stat(digest);
    if (!found) throw new HuitongError('OBJECT_MISSING', 'the object is not in the store', { at: digest });
    return found;
  }

  async #stream(found: StoredObject, range?: ByteRange): Promise<Readable> {
    const { digest, sizeBytes } = found;
    const { offset, length } = rangeWithin(found, range);
    if (length === 0) return Readable.from([]);
    const whole = offset === 0 && length === sizeBytes;
    const answer = await this.#call(digest, () =>
      this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: this.#key(digest),
          ...(whole ? {} : { Range: `bytes=${offset}-${offset + length - 1}` }),
        }),
      ),
    );
    return answer.Body as Readable;
  }

  async stat(digest: string): Promise<ListedObject | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: this.#key(digest) });
    try {
      const head = await this.#call(digest, () => this.#client.send(command));
      return { digest, sizeBytes: head.ContentLength ?? 0, storedAt: head.LastModified ?? new Date(0) };
    } catch (e: unknown) {
      if (e instanceof HuitongError && e.code === 'OBJECT_MISSING') return undefined;
      throw e;
    }
  }

  async verify(digest: string): Promise<StoredObject> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of await this.read(digest)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
    if (hash.digest('hex') === digest) return { digest, sizeBytes };
    await this.#call(digest, () =>
      this.#client.send(
        new CopyObjectCommand({
          Bucket: this.#bucket,
          CopySource: `${this.#bucket}/${this.#key(digest)}`,
          Key: `${this.#prefix}quarantine/${digest}.${Date.now()}`,
        }),
      ),
    );
    await this.remove(digest);
    throw new HuitongError('OBJECT_CORRUPT', 'the stored bytes no longer have the digest they are named by', {
      at: digest,
    });
  }

  async *list(): AsyncGenerator<ListedObject> {
    const Prefix = `${this.#prefix}objects/`;
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ContinuationToken });
      const page = await this.#call('', () => this.#client.send(command));
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const digest = Key?.slice(Prefix.length).replace('/', '') ?? '';
        yield { digest, sizeBytes: Size ?? 0, storedAt: LastModified ?? new Date(0) };
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  async remove(digest: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#key(digest) });
    await this.#call(digest, () => this.#client.send(command));
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await rm(this.#spool, { recursive: true, force: true });
  }

  /** The SDK repeats no request whose body is a stream: it cannot read it twice. We can. */
  async #upload(path: string, digest: string, sizeBytes: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const command = new PutObjectCommand({
        Bucket: this.#bucket,
        Key: this.#key(digest),
        Body: createReadStream(path),
        ContentLength: sizeBytes,
        ChecksumSHA256: Buffer.from(digest, 'hex').toString('base64'),
      });
      try {
        await this.#client.send(command);
        return;
      } catch (e: unknown) {
        if (attempt === limits.storeAttemptsMax || !mayPass(e)) throw e;
        await sleep(limits.storeRetryMs * 2 ** (attempt - 1));
      }
    }
  }

  #key(digest: string): string {
    assertDigest(digest);
    return `${this.#prefix}objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  async #call<T>(digest: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause: unknown) {
      if (isMissing(cause))
        throw new HuitongError('OBJECT_MISSING', 'the object is not in the store', { at: digest, cause });
      throw new HuitongError('STORE_UNREACHABLE', 'the object store refused or did not answer', {
        at: digest || undefined,
        cause,
      });
    }
  }
}

async function spoolTo(path: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      await file.appendFile(chunk);
      sizeBytes += chunk.length;
    }
  } finally {
    await file.close();
  }
  return { digest: hash.digest('hex'), sizeBytes };
}

/** What the service answers under load, and a connection that broke. */
function mayPass(e: unknown): boolean {
  const status = e instanceof S3ServiceException ? e.$metadata.httpStatusCode : undefined;
  return status === undefined || status >= 500 || status === 429;
}

function isMissing(e: unknown): boolean {
  return e instanceof Error && ['NotFound', 'NoSuchKey'].includes(e.name);
}
