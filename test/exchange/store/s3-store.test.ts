import { readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openS3Store } from '../../../exchange/store/s3-store.ts';
import { findS3Server, startS3 } from '../../support/s3.ts';
import { describeStore, stream } from './conformance.ts';

const binary = findS3Server();

if (binary) {
  describeStore('S3', async () => {
    const server = await startS3(binary);
    const store = await openS3Store(server.options);
    const folder = join(server.bucketFolder, 'exchange');
    const path = (digest: string) => join(folder, 'objects', digest.slice(0, 2), digest.slice(2));
    return {
      store,
      tamper: (digest, bytes) => (bytes === null ? rm(path(digest)) : writeFile(path(digest), bytes)),
      leftovers: async () => (await readdir(folder, { recursive: true }).catch(() => [])).sort(),
      async close() {
        await store.close();
        await server.stop();
      },
    };
  });

  describe('S3 store', () => {
    it('names wrong credentials and a missing bucket, without the secret', async () => {
      const server = await startS3(binary);
      try {
        const wrong = { ...server.options, credentials: { accessKeyId: 'test', secretAccessKey: 'canary-5521' } };
        for (const options of [wrong, { ...server.options, bucket: 'nothing-there' }]) {
          const error = await openS3Store(options).then(
            () => undefined,
            (e: unknown) => e,
          );
          expect(error).toMatchObject({ code: 'STORE_UNREACHABLE' });
          expect(String(error)).not.toContain('canary-5521');
        }
      } finally {
        await server.stop();
      }
    });
  });
} else {
  it.skip('S3 store: skipped, because there is no versitygw on PATH or in the cache folder', () => {});
}

it('the S3 store waits and repeats while the service answers SlowDown, and stores the object once', async () => {
  const bodies: Buffer[] = [];
  let refusals = 2;
  const service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'PUT') return response.writeHead(200).end();
      if (refusals-- > 0) return response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      bodies.push(Buffer.concat(chunks));
      return response.writeHead(200, { etag: '"1"' }).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const store = await openS3Store({ bucket: 'huitong', region: 'us-east-1', endpoint, credentials });
  try {
    expect(await store.put(stream([Buffer.from('once')]))).toMatchObject({ sizeBytes: 4 });
    expect(bodies.map(String)).toEqual(['once']);
  } finally {
    await store.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  }
});
