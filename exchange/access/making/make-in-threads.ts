/**
 * A projection made beside the server's own thread, which goes on answering: it reads and stores bytes for the threads
 * that decode, mask and compress. The parts are shared out in order, so what is made is in the version's order too.
 */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { schemaMessage } from '../../../columnar/message.ts';
import { HuitongError, toHuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { startThread } from '../../../lib/start-thread.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { CheckedObject, PartStore } from '../../store/part-store.ts';
import type { StoredObject } from '../../store/store.ts';
import type { Shown } from '../projections.ts';
import { rangeOf } from '../renditions/stored-part.ts';
import { type Making, makeProjection } from './make-projection.ts';
import type { FromThread, StoreAnswer, StoreQuestion, ThreadJob } from './messages.ts';

/** @param alive called while it goes on. Throws what `makeProjection` throws. */
export async function makeInThreads(
  store: PartStore,
  stored: Shown,
  making: Making,
  alive: () => Promise<void>,
): Promise<ManifestPart[]> {
  const bytes = stored.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // Done before a thread would have started.
  if (bytes < limits.projectionThreadBytesMin) return makeProjection(store, stored, making);
  const schema = schemaMessage(stored.schema);
  const made = await Promise.allSettled(
    shares(stored.parts, bytes).map((parts) => inTurn(() => makeShare(store, { ...making, schema, parts }, alive))),
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

async function makeShare(store: PartStore, job: ThreadJob, alive: () => Promise<void>): Promise<ManifestPart[]> {
  const worker = await startThread(new URL('./thread.ts', import.meta.url), job);
  const clerk = new Clerk(store);
  let answered = Promise.resolve();
  try {
    return await new Promise<ManifestPart[]>((resolve, reject) => {
      const lost = (cause?: unknown) =>
        reject(new HuitongError('INTERNAL', 'a thread that makes a projection ended unexpectedly', { cause }));
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

/** Does at the store what one thread asks for. */
class Clerk {
  readonly #store: PartStore;
  readonly #open = new Map<string, CheckedObject>();
  #put: { bytes: PassThrough; stored: Promise<StoredObject> } | undefined;

  constructor(store: PartStore) {
    this.#store = store;
  }

  async answer(question: StoreQuestion): Promise<unknown> {
    if (question.ask === 'put') return this.#take(question.bytes);
    const { ask, digest } = question;
    if (ask === 'open') {
      const object = await this.#store.open(digest);
      this.#open.set(digest, object);
      return object.sizeBytes;
    }
    const object = this.#open.get(digest);
    if (object === undefined) throw new HuitongError('INTERNAL', 'a part is read that was not opened', { at: digest });
    if (ask === 'read') return rangeOf(object, digest, question);
    this.#open.delete(digest);
    return object.close();
  }

  /** Answers when more can be taken; to the end, with what was stored. */
  async #take(bytes: Uint8Array | null): Promise<StoredObject | undefined> {
    if (this.#put === undefined) {
      const through = new PassThrough({ highWaterMark: 1024 * 1024 });
      this.#put = { bytes: through, stored: this.#store.put(through) };
      // Where it fails, the next question is told.
      this.#put.stored.catch(() => {});
    }
    const put = this.#put;
    if (bytes === null) {
      this.#put = undefined;
      put.bytes.end();
      return put.stored;
    }
    if (!put.bytes.write(bytes)) await Promise.race([once(put.bytes, 'drain'), put.stored]);
    return undefined;
  }

  async close(): Promise<void> {
    this.#put?.bytes.destroy();
    await this.#put?.stored.catch(() => {});
    for (const object of this.#open.values()) await object.close();
  }
}
