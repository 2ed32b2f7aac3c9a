/** FAULTS 15 with a real file system that is full: in the worker, and in the store. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Connector } from '../../connectors/connector.ts';
import { openFileStore } from '../../exchange/store/file-store.ts';
import { generateBoxKeys } from '../../lib/sealed-box.ts';
import { extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { type NumbersConfig, numbers } from './numbers-connector.ts';
import { withStaging } from './staging-server.ts';

const disk = mountSmallDisk(256 * 1024);
const skipped = disk === undefined ? ' (skipped: this user may not mount)' : '';
const before = process.env.TMPDIR;
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  disk?.unmount();
});

const assignment = {
  runId: 'run-1',
  dataset: 'health.people',
  department: 'health',
  source: { code: 'health.db', kind: 'numbers', connection: {} },
  table: { name: 'people' },
  contract: { version: '1.0.0', key: ['id'], type: 'object', properties: {} },
  plan: { partitions: 1, controlTotals: false },
  quarantineKey: generateBoxKeys().publicKey,
};

/** All that the worker has left on it, beside what fills it. */
const leftovers = async (path: string) => (await readdir(path)).filter((name) => name.startsWith('huitong-'));

test.skipIf(disk === undefined)(
  `a worker whose disk is full says so, cleans up, and goes on when there is room${skipped}`,
  () =>
    withStaging(assignment, async (staging) => {
      const path = disk!.path;
      process.env.TMPDIR = path;
      const run = async () => {
        const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
        return extract({
          session,
          connector: numbers as Connector,
          // 20 bytes of key hashes a row: more than the disk has while it is filled, less than when it is not.
          config: { partitions: [8_000], batchRows: 1_000 } satisfies NumbersConfig,
          signal: new AbortController().signal,
          threads: 1,
          threadEntry: new URL('./thread.ts', import.meta.url),
        });
      };
      await writeFile(join(path, 'filler'), Buffer.alloc(200 * 1024));
      await expect(run()).rejects.toMatchObject({ code: 'DISK_FULL', recovery: 'retriable' });
      expect(await leftovers(path)).toEqual([]);
      expect([...staging.objects.values()].filter(({ kind }) => kind === 'report')).toEqual([]);
      await rm(join(path, 'filler'));
      expect((await run()).report).toMatchObject({ rowsRead: 8_000, rowsPublished: 8_000 });
      expect(await leftovers(path)).toEqual([]);
    }),
);

test.skipIf(disk === undefined)(
  `a store whose disk is full keeps nothing half-made, and takes objects when there is room${skipped}`,
  async () => {
    const root = join(disk!.path, 'store');
    await mkdir(root);
    const store = await openFileStore(root);
    const small = await store.put(one(Buffer.from('was there before')));
    for (const bytes of [300, 400, 1_000]) {
      await expect(store.put(one(randomBytes(bytes * 1024)))).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect(await readdir(join(root, 'tmp'))).toEqual([]);
    }
    expect(await store.verify(small.digest)).toEqual(small);
    expect(await store.put(one(randomBytes(50 * 1024)))).toMatchObject({ sizeBytes: 50 * 1024 });
  },
);

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
