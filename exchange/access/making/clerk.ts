/** Does at the store what one making thread asks for. Bytes pass through memory that both see, so none are left behind. */
import { HuitongError } from '../../../lib/errors.ts';
import type { CheckedObject, PartStore } from '../../store/part-store.ts';
import type { StoredObject } from '../../store/store.ts';
import { lentRange } from '../renditions/stored-part.ts';
import type { StoreQuestion, ThreadJob } from './messages.ts';

export class Clerk {
  readonly #store: PartStore;
  readonly #memory: ThreadJob['memory'];
  readonly #open = new Map<string, CheckedObject>();
  #putting: { chunks: Handover; stored: Promise<StoredObject> } | undefined;

  constructor(store: PartStore, memory: ThreadJob['memory']) {
    this.#store = store;
    this.#memory = memory;
  }

  async answer(question: StoreQuestion): Promise<unknown> {
    if (question.ask === 'put') return this.#put(question.bytes);
    const { ask, digest } = question;
    if (ask === 'open') {
      const object = await this.#store.open(digest);
      this.#open.set(digest, object);
      return object.sizeBytes;
    }
    const object = this.#open.get(digest);
    if (object === undefined) throw new HuitongError('INTERNAL', 'a part is read that was not opened', { at: digest });
    if (ask === 'close') {
      this.#open.delete(digest);
      return object.close();
    }
    const into = new Uint8Array(this.#memory.read);
    let filled = 0;
    for await (const chunk of lentRange(object, digest, question)) {
      into.set(chunk, filled);
      filled += chunk.byteLength;
    }
    return undefined;
  }

  /** Answers when the bytes have been taken; to the end, with what was stored. */
  async #put(bytes: number | null): Promise<StoredObject | undefined> {
    if (this.#putting === undefined) {
      const chunks = new Handover();
      this.#putting = { chunks, stored: this.#store.put(chunks.taken()) };
      // Where it fails, the next question is told.
      this.#putting.stored.catch(() => {});
    }
    const { chunks, stored } = this.#putting;
    if (bytes !== null) {
      await Promise.race([chunks.give(new Uint8Array(this.#memory.put, 0, bytes)), stored]);
      return undefined;
    }
    this.#putting = undefined;
    chunks.end();
    return stored;
  }

  async close(): Promise<void> {
    this.#putting?.chunks.fail(new Error('the thread has ended'));
    await this.#putting?.stored.catch(() => {});
    for (const object of this.#open.values()) await object.close();
  }
}

/** One chunk at a time from who gives to who takes; given is what has been used. */
class Handover {
  #next: { chunk: Uint8Array; used: () => void } | undefined;
  #ended = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  async *taken(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const next = this.#next;
      if (next !== undefined) {
        yield next.chunk;
        this.#next = undefined;
        next.used();
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  give(chunk: Uint8Array): Promise<void> {
    return new Promise((used) => {
      this.#next = { chunk, used };
      this.#wake();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(failure: Error): void {
    this.#failure = failure;
    this.#wake();
  }
}
