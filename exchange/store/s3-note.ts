/** One small text in a bucket, replaced as a whole: where the audit log keeps its newest head beside the objects. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createS3Client, type S3Options } from './s3-store.ts';

export interface S3Note {
  /** Undefined before the first `write`. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

export function openS3Note(options: S3Options, name: string): S3Note {
  const client = createS3Client(options);
  const place = { Bucket: options.bucket, Key: options.prefix ? `${options.prefix}/${name}` : name };
  return {
    async read() {
      try {
        const found = await client.send(new GetObjectCommand(place));
        return await found.Body?.transformToString();
      } catch (e: unknown) {
        if (e instanceof Error && e.name === 'NoSuchKey') return undefined;
        throw e;
      }
    },
    async write(text) {
      await client.send(new PutObjectCommand({ ...place, Body: text, ContentType: 'text/plain' }));
    },
    async close() {
      client.destroy();
    },
  };
}
