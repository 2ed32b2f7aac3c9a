/**
 * Where the newest signed head is kept a second time, outside the database: a database that was restored from an older
 * backup is behind it, and that is how the log finds out (FAULTS.md 25).
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface HeadStore {
  /** The note that was kept last; undefined before the first. */
  read(): Promise<string | undefined>;
  write(note: string): Promise<void>;
}

/** One file, replaced as a whole, by whichever server: a reader sees one head or another, never half of one. */
export function createFileHeadStore(path: string): HeadStore {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (e: unknown) {
        if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return undefined;
        throw e;
      }
    },
    async write(note) {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${randomUUID()}.new`;
      const file = await open(draft, 'wx', 0o644);
      try {
        await file.writeFile(note);
        await file.sync();
        await rename(draft, path);
      } catch (e: unknown) {
        await rm(draft, { force: true });
        throw e;
      } finally {
        await file.close();
      }
    },
  };
}
