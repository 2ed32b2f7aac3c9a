/**
 * The server's copies of index objects: files of a folder, named by digest. They are read with positioned reads, which
 * the operating system answers from its page cache; all processes that read a file share those pages.
 */
import { createHash, randomUUID } from 'node:crypto';
import { close, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { assertDigest, type ObjectStore } from '../../store/store.ts';

/** Reads without waiting: a page that is not in memory is read from a local disk. */
export class IndexFile {
  readonly sizeBytes: number;
  readonly #descriptor: number;
  #scratch = Buffer.alloc(0);

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.sizeBytes = fstatSync(this.#descriptor).size;
  }

  /** Into memory that is valid until the next call. */
  peek(start: number, length: number): Buffer {
    if (this.#scratch.byteLength < length) this.#scratch = Buffer.alloc(length);
    return this.#into(this.#scratch.subarray(0, length), start);
  }

  /** Into memory of its own. */
  read(start: number, length: number): Buffer {
    return this.#into(Buffer.allocUnsafe(length), start);
  }

  close(): void {
    close(this.#descriptor, () => {});
  }

  #into(target: Buffer, start: number): Buffer {
    const got = readSync(this.#descriptor, target, 0, target.byteLength, start);
    if (got === target.byteLength) return target;
    throw new HuitongError('OBJECT_CORRUPT', 'an index points behind the end of its records');
  }
}

/** A folder of such copies; several servers of one machine may share it. */
export class IndexFiles {
  readonly #store: ObjectStore;
  readonly #directory: string;

  constructor(store: ObjectStore, directory: string) {
    this.#store = store;
    this.#directory = directory;
  }

  /** Fetched where it is not there yet; hashed in either case. @throws OBJECT_MISSING, OBJECT_CORRUPT */
  async open(digest: string): Promise<IndexFile> {
    assertDigest(digest);
    const path = join(this.#directory, digest);
    if (!(await this.#isWhole(path, digest))) await this.#fetch(path, digest);
    await utimes(path, new Date(), new Date());
    const file = new IndexFile(path);
    await this.#forgetOldest();
    return file;
  }

  async #isWhole(path: string, digest: string): Promise<boolean> {
    if ((await stat(path).catch(() => undefined)) === undefined) return false;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest('hex') === digest;
  }

  /** Under a name of its own until it is whole. */
  async #fetch(path: string, digest: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const draft = `${path}.${randomUUID()}.new`;
    const hash = createHash('sha256');
    const file = await open(draft, 'wx', 0o600);
    try {
      const hashed = async function* (bytes: AsyncIterable<Uint8Array>) {
        for await (const chunk of bytes) {
          hash.update(chunk);
          yield chunk;
        }
      };
      await pipeline(await this.#store.read(digest), hashed, file.createWriteStream());
      if (hash.digest('hex') !== digest) {
        throw new HuitongError('OBJECT_CORRUPT', 'a stored index is not what was made', { at: digest });
      }
      await rename(draft, path);
    } catch (e: unknown) {
      await rm(draft, { force: true });
      throw e;
    } finally {
      await file.close().catch(() => {});
    }
  }

  /** Whoever has a file open keeps it: only its name goes. */
  async #forgetOldest(): Promise<void> {
    const names = await readdir(this.#directory);
    if (names.length <= limits.lookupCacheFilesMax) return;
    const files = await Promise.all(
      names.map(async (name) => ({
        name,
        used: (await stat(join(this.#directory, name)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
    );
    const oldest = files.toSorted((a, b) => a.used - b.used).slice(0, names.length - limits.lookupCacheFilesMax);
    for (const { name } of oldest) await rm(join(this.#directory, name), { force: true });
  }
}
