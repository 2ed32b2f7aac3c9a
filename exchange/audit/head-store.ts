/**
 * Where the newest signed head is kept a second time, outside the database: a database that was restored from an older
 * backup is behind it, and that is how the log finds out (FAULTS.md 25).
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface HeadStore {
  /** The note that was kept last; undefined before the first. */
  read(): Promise<string | undefined>;
  write(note: string): Promise<void>;
}

/** One file, replaced as a whole: a reader sees the old head or the new one. */
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
      const draft = `${path}.new`;
      const file = await open(draft, 'w', 0o644);
      try {
        await file.writeFile(note);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}
