/**
 * Objects as files: `objects/ab/cdef…` named by digest, `tmp/` for what is being written, `quarantine/` for what was
 * found damaged. A name in `objects/` appears by rename, after its bytes and then its directory are synced: whoever
 * sees a name sees the whole object, also after a power cut.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { HuitongError, isDiskFull } from '../../lib/errors.ts';
import { writeAll } from '../../lib/file-bytes.ts';
import { limits } from '../../lib/limits.ts';
import { lendFile } from './lend-file.ts';
import {
  assertDigest,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  type OpenObject,
  rangeWithin,
  type StoredObject,
} from './store.ts';

/** Opens the store in `directory`, making what is missing and clearing what writers that died left in `tmp/`. */
export async function openFileStore(directory: string): Promise<ObjectStore> {
  for (const folder of ['objects', 'tmp', 'quarantine']) await mkdir(join(directory, folder), { recursive: true });
  await clearAbandoned(join(directory, 'tmp'));
  return new FileStore(directory);
}

class FileStore implements ObjectStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<StoredObject> {
    const temporary = join(this.#directory, 'tmp', randomUUID());
    try {
      const written = await writeHashed(temporary, bytes);
      if (expected !== undefined && expected !== written.digest) {
        throw new HuitongError('DIGEST_MISMATCH', `what arrived has another digest than was announced`, {
          at: expected,
        });
      }
      // Also over an object of that name: it makes the object young again for the collector, and heals a damaged one.
      await renameSynced(temporary, this.#path(written.digest));
      return written;
    } catch (e: unknown) {
      await rm(temporary, { force: true });
      throw isDiskFull(e) ? new HuitongError('STORE_FULL', 'the object store is full', { cause: e }) : e;
    }
  }

  async open(digest: string): Promise<OpenObject> {
    const handle = await this.#open(digest);
    try {
      const { size: sizeBytes } = await handle.stat();
      return {
        sizeBytes,
        lend: (range) => lendFile(handle, rangeWithin({ digest, sizeBytes }, range)),
        close: () => handle.close(),
      };
    } catch (e: unknown) {
      await handle.close();
      throw e;
    }
  }

  async read(digest: string, range?: ByteRange): Promise<Readable> {
    const handle = await this.#open(digest);
    try {
      const { size: sizeBytes } = await handle.stat();
      const { offset, length } = rangeWithin({ digest, sizeBytes }, range);
      if (length > 0) return handle.createReadStream({ start: offset, end: offset + length - 1 });
    } catch (e: unknown) {
      await handle.close();
      throw e;
    }
    await handle.close();
    return Readable.from([]);
  }

  async stat(digest: string): Promise<ListedObject | undefined> {
    const found = await statIfThere(this.#path(digest));
    return found && { digest, sizeBytes: found.size, storedAt: found.mtime };
  }

  async verify(digest: string): Promise<StoredObject> {
    const hash = createHash('sha256');
    const object = await this.open(digest);
    try {
      for await (const chunk of object.lend()) hash.update(chunk);
    } finally {
      await object.close();
    }
    const { sizeBytes } = object;
    if (hash.digest('hex') === digest) return { digest, sizeBytes };
    await renameSynced(this.#path(digest), join(this.#directory, 'quarantine', `${digest}.${Date.now()}`));
    throw new HuitongError('OBJECT_CORRUPT', 'the stored bytes no longer have the digest they are named by', {
      at: digest,
    });
  }

  async *list(): AsyncGenerator<ListedObject> {
    const root = join(this.#directory, 'objects');
    for (const prefix of await readdir(root)) {
      for (const rest of await readdir(join(root, prefix))) {
        const found = await statIfThere(join(root, prefix, rest));
        if (found) yield { digest: prefix + rest, sizeBytes: found.size, storedAt: found.mtime };
      }
    }
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  async #open(digest: string): Promise<FileHandle> {
    try {
      return await open(this.#path(digest), 'r');
    } catch (cause: unknown) {
      if (!isMissing(cause)) throw cause;
      throw new HuitongError('OBJECT_MISSING', 'the object is not in the store', { at: digest, cause });
    }
  }

  #path(digest: string): string {
    assertDigest(digest);
    return join(this.#directory, 'objects', digest.slice(0, 2), digest.slice(2));
  }
}

async function writeHashed(path: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      await writeAll(handle, [chunk]);
      sizeBytes += chunk.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { digest: hash.digest('hex'), sizeBytes };
}

async function renameSynced(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  const created = await mkdir(folder, { recursive: true });
  await rename(from, to);
  await syncFolder(folder);
  if (created !== undefined) await syncFolder(dirname(folder));
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** By age only: another process may be writing to the same store now. */
async function clearAbandoned(folder: string): Promise<void> {
  const oldest = Date.now() - limits.uploadAgeMaxMs;
  for (const name of await readdir(folder)) {
    const found = await statIfThere(join(folder, name));
    if (found && found.mtimeMs < oldest) await rm(join(folder, name), { force: true });
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (e: unknown) {
    if (isMissing(e)) return undefined;
    throw e;
  }
}

function isMissing(e: unknown): boolean {
  return errno(e) === 'ENOENT';
}

function errno(e: unknown): string | undefined {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : undefined;
}
