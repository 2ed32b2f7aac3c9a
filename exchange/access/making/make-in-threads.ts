/**
 * What is made of a version, made beside the server's own thread, which goes on answering: it reads and stores bytes for
 * the threads that decode, mask and compress. A projection's parts are shared out in order, so what is made is in the
 * version's order too; a Parquet is one file, made by one thread.
 */
import type { Worker } from 'node:worker_threads';
import { schemaMessage } from '../../../columnar/message.ts';
import { HuitongError, toHuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { startThread } from '../../../lib/start-thread.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import type { Shown } from '../projections.ts';
import { Clerk } from './clerk.ts';
import { make, type Work } from './make.ts';
import type { FromThread, StoreAnswer, StoreQuestion, ThreadJob } from './messages.ts';

/** @param alive called while it goes on. Throws what `make` throws. */
export async function makeInThreads(
  store: PartStore,
  stored: Shown,
  work: Work,
  alive: () => Promise<void>,
): Promise<ManifestPart[]> {
  const bytes = stored.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // Done before a thread would have started.
  if (bytes < limits.projectionThreadBytesMin) return make(store, stored, work);
  const schema = schemaMessage(stored.schema);
  const shared = work.make === 'parquet' ? [stored.parts] : shares(stored.parts, bytes);
  const made = await Promise.allSettled(
    shared.map((parts) => inTurn(() => makeShare(store, { work, schema, parts }, alive))),
  );
  return made.flatMap((share) => {
    if (share.status === 'rejected') throw share.reason;
    return share.value;
  });
}

/** Neighbouring parts, about the same bytes each. */
function shares(parts: ManifestPart[], bytes: number): ManifestPart[][] {
  const made: ManifestPart[][] = [[]];
  let before = 0;
  for (const part of parts) {
    if (before >= (made.length * bytes) / limits.projectionThreadsMax) made.push([]);
    made.at(-1)!.push(part);
    before += part.sizeBytes;
  }
  return made;
}

/** Bytes that pass at a time; most batches do in one. */
const MEMORY_BYTES = 2 * 1024 * 1024;

let running = 0;
const queue: (() => void)[] = [];

/** No more threads than there may be, however many projections are wanted at once. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running < limits.projectionThreadsMax) running++;
  else await new Promise<void>((resolve) => queue.push(resolve));
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next === undefined) running--;
    else next();
  }
}

async function makeShare(
  store: PartStore,
  share: Omit<ThreadJob, 'memory'>,
  alive: () => Promise<void>,
): Promise<ManifestPart[]> {
  const memory = { read: new SharedArrayBuffer(MEMORY_BYTES), put: new SharedArrayBuffer(MEMORY_BYTES) };
  const worker = await startThread(new URL('./thread.ts', import.meta.url), { ...share, memory } satisfies ThreadJob);
  const clerk = new Clerk(store, memory);
  let answered = Promise.resolve();
  try {
    return await new Promise<ManifestPart[]>((resolve, reject) => {
      const lost = (cause?: unknown) =>
        reject(
          new HuitongError('INTERNAL', 'a thread that makes a projection or a Parquet ended unexpectedly', { cause }),
        );
      worker.on('error', lost).on('exit', () => lost());
      worker.on('message', (message: FromThread) => {
        if ('made' in message) resolve(message.made);
        else if ('failure' in message) {
          const { code, message: text, ...details } = message.failure;
          reject(new HuitongError(code, text, details));
        } else answered = answered.then(() => answer(worker, clerk, message, alive));
      });
    });
  } finally {
    await worker.terminate();
    await Promise.all([answered, clerk.close()]);
  }
}

async function answer(
  worker: Worker,
  clerk: Clerk,
  question: StoreQuestion,
  alive: () => Promise<void>,
): Promise<void> {
  const say = (message: StoreAnswer) => worker.postMessage(message);
  try {
    await alive();
    say({ value: await clerk.answer(question) });
  } catch (e: unknown) {
    const { code, message, at, pointer } = toHuitongError(e);
    say({ failure: { code, message, at, pointer } });
  }
}
