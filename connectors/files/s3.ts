/** A bucket of S3, or of anything that speaks its protocol. Every read demands the ETag that was pinned, where there is one. */
import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { S3Place } from './config.ts';
import { type ByteRange, changed, type Location, type OpenFile, type PinnedFile, tooManyFiles } from './location.ts';

export async function openBucket(place: S3Place, signal: AbortSignal): Promise<Location> {
  const { region = 'us-east-1', endpoint, accessKeyId, secretAccessKey } = place;
  const client = new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: limits.storeAttemptsMax,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  return new Bucket(client, place, signal);
}

class Bucket implements Location {
  readonly title: string;
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly signal: AbortSignal;

  constructor(client: S3Client, { bucket, prefix }: S3Place, signal: AbortSignal) {
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix === undefined ? '' : `${prefix.replace(/^\/+|\/+$/g, '')}/`;
    this.title = `s3://${bucket}/${this.prefix}`;
    this.signal = signal;
  }

  async list(): Promise<PinnedFile[]> {
    const found: PinnedFile[] = [];
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.prefix, ContinuationToken });
      const page = await this.call(this.title, () => this.client.send(command, { abortSignal: this.signal }));
      for (const { Key = '', Size = 0, ETag, LastModified } of page.Contents ?? []) {
        const path = Key.slice(this.prefix.length);
        // Folders are shown as objects whose names end in a slash.
        if (path === '' || path.endsWith('/')) continue;
        found.push({ path, sizeBytes: Size, identity: identityOf(ETag, LastModified) });
        if (found.length > limits.sourceFilesMax) throw tooManyFiles(this.title);
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async open(file: PinnedFile): Promise<OpenFile> {
    const [tag = ''] = file.identity.split(' ');
    const target = { Bucket: this.bucket, Key: this.prefix + file.path, ...(tag === '' ? {} : { IfMatch: tag }) };
    const get = (range: ByteRange) => {
      const command = new GetObjectCommand({ ...target, Range: `bytes=${range.start}-${range.end - 1}` });
      return this.call(file.path, () => this.client.send(command, { abortSignal: this.signal }));
    };
    const call = this.call.bind(this);
    /** Of answers that were not read to their end. */
    const bodies = new Set<Readable>();
    const assertUnchanged = async () => {
      const command = new HeadObjectCommand({ Bucket: target.Bucket, Key: target.Key });
      const head = await this.call(file.path, () => this.client.send(command, { abortSignal: this.signal }));
      const identity = identityOf(head.ETag, head.LastModified);
      if (identity !== file.identity || head.ContentLength !== file.sizeBytes) throw changed(file.path);
    };
    return {
      async *chunks(range: ByteRange = { start: 0, end: file.sizeBytes }) {
        if (range.end <= range.start) return;
        const body = (await get(range)).Body as Readable;
        bodies.add(body);
        const chunks = body[Symbol.asyncIterator]();
        for (;;) {
          // A body that breaks off is told as everything else that fails.
          const next = await call(file.path, () => chunks.next());
          if (next.done === true) return;
          yield next.value as Uint8Array;
        }
      },
      async readAt(offset, length) {
        if (length === 0) return new Uint8Array(0);
        const { Body } = await get({ start: offset, end: offset + length });
        return call(file.path, async () => (await Body?.transformToByteArray()) ?? new Uint8Array(0));
      },
      assertUnchanged,
      async close() {
        for (const body of bodies) body.destroy();
      },
    };
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  private async call<T>(at: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (cause: unknown) {
      if (this.signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at });
      throw isHuitongError(cause) ? cause : bucketError(cause, at);
    }
  }
}

/** The tag, and the second of the last change: some services give no tags. */
function identityOf(tag: string | undefined, changedAt: Date | undefined): string {
  return `${tag ?? ''} ${Math.floor((changedAt?.getTime() ?? 0) / 1000)}`;
}

/** By HTTP status and S3's own names. The service's message may quote the key id: it stays a cause. */
function bucketError(cause: unknown, at: string): HuitongError {
  const name = cause instanceof Error ? cause.name : '';
  const status = statusOf(cause);
  if (name === 'NoSuchBucket')
    return new HuitongError('SOURCE_DATABASE_MISSING', 'there is no such bucket', { at, cause });
  if (status === 412 || status === 404) return changed(at);
  if (['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken'].includes(name) || status === 401) {
    return new HuitongError('SOURCE_AUTH', 'the service refused the key', { at, cause });
  }
  if (status === 403) return new HuitongError('SOURCE_FORBIDDEN', 'this key may not read the bucket', { at, cause });
  return new HuitongError('SOURCE_UNREACHABLE', `the service cannot be reached${name && ` (${name})`}`, { at, cause });
}

function statusOf(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null || !('$metadata' in cause)) return undefined;
  return (cause.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
