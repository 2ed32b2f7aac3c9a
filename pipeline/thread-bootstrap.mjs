// A thread does not take over how its parent learned TypeScript (tsx, or vitest), and `--import tsx` does nothing in a
// thread of Node 20. So a thread starts here, in JavaScript, learns it, and goes on to its entry.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.entry);
