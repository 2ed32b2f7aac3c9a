/** Starts a thread whose entry is a TypeScript file: a thread does not take over how its parent learned TypeScript. */
import { Worker } from 'node:worker_threads';
import { bundleOf } from './bundle.ts';
import { limits } from './limits.ts';

export async function startThread(entry: URL, workerData: unknown): Promise<Worker> {
  // Not the parent's own flags: `--import tsx` may be among them.
  const resourceLimits = { maxYoungGenerationSizeMb: limits.threadYoungHeapMb };
  return new Worker(await bundleOf(entry), { workerData, execArgv: [], resourceLimits });
}
