/** A lock between processes of one machine: a file that names its holder. A holder that is gone loses it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { identify, isRunning, type ProcessIdentity } from '../../lib/process-identity.ts';

const POLL_MS = 250;

/** Runs `body` while holding the lock file; waits for whoever holds it, and says so once. */
export async function withLock<T>(file: string, body: () => Promise<T>, onWait: (pid: number) => void): Promise<T> {
  const self = await identify(process.pid);
  const text = JSON.stringify(self);
  let said = false;
  while (!(await tryCreate(file, text))) {
    const holder = await readHolder(file);
    if (holder !== undefined && !(await isRunning(holder))) await removeIfStill(file, holder);
    else if (holder !== undefined && !said) {
      onWait(holder.pid);
      said = true;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    return await body();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryCreate(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (e: unknown) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
}

/** `undefined` while the holder is still writing its name. */
async function readHolder(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Two waiters may both see a dead holder; the second must not remove the first one's new lock. */
async function removeIfStill(file: string, holder: ProcessIdentity): Promise<void> {
  const now = await readHolder(file);
  if (now?.pid === holder.pid && now.startedAt === holder.startedAt) await rm(file, { force: true });
}
