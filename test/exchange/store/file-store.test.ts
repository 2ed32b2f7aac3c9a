import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import { describeStore, stream } from './conformance.ts';

const newDirectory = () => mkdtemp(join(tmpdir(), 'huitong-store-'));

describeStore('the file system', async () => {
  const directory = await newDirectory();
  const path = (digest: string) => join(directory, 'objects', digest.slice(0, 2), digest.slice(2));
  return {
    store: await openFileStore(directory),
    tamper: (digest, bytes) => (bytes === null ? rm(path(digest)) : writeFile(path(digest), bytes)),
    leftovers: async () => (await readdir(directory, { recursive: true })).sort(),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('file store', () => {
  it('clears what a writer that died left behind, but not what is being written', async () => {
    const directory = await newDirectory();
    await openFileStore(directory);
    const [old, fresh] = [join(directory, 'tmp', 'old'), join(directory, 'tmp', 'fresh')];
    await writeFile(old, 'x');
    await writeFile(fresh, 'x');
    await utimes(old, new Date(0), new Date(0));
    await openFileStore(directory);
    await expect(stat(old)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await stat(fresh)).size).toBe(1);
    await rm(directory, { recursive: true });
  });

  it('names a full disk STORE_FULL, which is retriable, and keeps nothing', async () => {
    const directory = await newDirectory();
    const store = await openFileStore(directory);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const failing = (async function* () {
      yield Buffer.from('some');
      throw full;
    })();
    await expect(store.put(failing)).rejects.toMatchObject({ code: 'STORE_FULL', recovery: 'retriable' });
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    expect(await store.put(stream([Buffer.from('some')]))).toMatchObject({ sizeBytes: 4 });
    await rm(directory, { recursive: true });
  });
});
