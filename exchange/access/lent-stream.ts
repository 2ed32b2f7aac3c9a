/**
 * Bytes that are lent (store.ts), as an answer to a request or as a stream. To an answer they go without a copy and
 * without being held twice: the next chunk is asked for when the kernel has the last one. As a stream they are copied.
 */
import { Readable, type Writable } from 'node:stream';

/** Shorter chunks than this go out together with the next, until there are so many bytes of them. */
const SHORT_BYTES = 8 * 1024;
const TOGETHER_BYTES = 64 * 1024;

export class LentStream extends Readable {
  readonly #bytes: AsyncGenerator<Uint8Array>;

  constructor(bytes: AsyncGenerator<Uint8Array>) {
    super({ highWaterMark: 1 });
    this.#bytes = bytes;
  }

  /**
   * Instead of reading it as a stream. Where it fails after the first chunk, the answer is broken off; where the client
   * has gone, the stream is destroyed. It resolves then too: what happened is the stream's to tell.
   * @param begin called when the first chunk, or the end, is there
   * @throws what the bytes throw before that
   */
  async sendTo(begin: () => Writable): Promise<void> {
    let next = await this.#bytes.next().catch((e: unknown) => {
      this.destroy(e as Error);
      throw e;
    });
    const answer = new Answer(begin(), () => this.destroy());
    try {
      for (; next.done !== true && !this.destroyed; next = await this.#bytes.next()) await answer.write(next.value);
      if (this.destroyed) throw this.errored ?? new Error('the read has ended before its bytes');
      await answer.end();
      this.push(null);
      this.resume();
    } catch (e: unknown) {
      answer.breakOff();
      this.destroy(e as Error);
    }
  }

  override _read(): void {
    this.#bytes.next().then(
      ({ done, value }) => this.push(done === true ? null : Buffer.from(value)),
      (e: Error) => this.destroy(e),
    );
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#bytes.return(undefined).then(
      () => callback(error),
      (e: Error) => callback(error ?? e),
    );
  }
}

/** What is written to: resolves when the bytes may be used for others. */
class Answer {
  readonly #to: Writable;
  readonly #onGone: () => void;
  #gone = false;
  /** Of the write that is waited for. */
  #settle: () => void = () => {};

  constructor(to: Writable, onGone: () => void) {
    this.#to = to;
    this.#onGone = onGone;
    const gone = () => this.#leave();
    to.once('close', gone).once('error', gone);
    if (to.destroyed) this.#leave();
  }

  #leave(): void {
    if (this.#gone || this.#to.writableFinished) return;
    this.#gone = true;
    this.#onGone();
    this.#settle();
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#gone) return undefined;
    if (chunk.byteLength < SHORT_BYTES && this.#to.writableLength < TOGETHER_BYTES) {
      if (this.#to.writableCorked === 0) this.#to.cork();
      this.#to.write(Buffer.from(chunk));
      return undefined;
    }
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#to.write(chunk, () => resolve());
      while (this.#to.writableCorked > 0) this.#to.uncork();
    });
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone) return resolve();
      this.#settle = resolve;
      this.#to.once('finish', resolve).end();
    });
  }

  breakOff(): void {
    this.#gone = true;
    this.#to.destroy();
  }
}
