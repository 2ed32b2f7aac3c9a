import { Worker, workerData } from 'node:worker_threads';

interface ThreadData {
  entry: string;
  setup: unknown;
}

/** Starts a thread whose entry is a TypeScript file. */
export function startThread(entry: URL, setup: unknown): Worker {
  const data: ThreadData = { entry: entry.href, setup };
  // Not the parent's own flags: `--import tsx` among them would be in the way of the bootstrap.
  return new Worker(new URL('./thread-bootstrap.mjs', import.meta.url), { workerData: data, execArgv: [] });
}

/** Within the thread: what `startThread` was given. The caller knows its type. */
export function threadSetup<Setup>(): Setup {
  return (workerData as ThreadData).setup as Setup;
}
