/** The owner's side of one reading thread: a task at a time, its progress, and its end. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { startThread } from '../lib/start-thread.ts';
import type { FromThread, PartitionProgress, ThreadOutcome, ThreadSetup, ThreadTask, ToThread } from './messages.ts';

export class ReadingThread {
  private readonly worker: Worker;
  private readonly ended: Promise<unknown>;
  private alive = true;
  private current: { resolve(outcome: ThreadOutcome): void; reject(e: unknown): void } | undefined;

  static async start(
    entry: URL,
    setup: ThreadSetup,
    onProgress: (progress: PartitionProgress) => void,
  ): Promise<ReadingThread> {
    return new ReadingThread(await startThread(entry, setup), onProgress);
  }

  private constructor(worker: Worker, onProgress: (progress: PartitionProgress) => void) {
    this.worker = worker;
    this.ended = once(this.worker, 'exit');
    this.worker.on('message', (message: FromThread) => {
      if ('progress' in message) onProgress(message.progress);
      else if ('failure' in message) {
        const { code, message: text, details } = message.failure;
        this.current?.reject(new HuitongError(code, text, details));
      } else this.current?.resolve(message);
    });
    this.worker.on('error', (cause) => this.lost(cause));
    this.worker.on('exit', () => this.lost());
  }

  get usable(): boolean {
    return this.alive;
  }

  /** @throws HuitongError what the thread met; INTERNAL (retriable) where the thread itself was lost */
  run(task: ThreadTask): Promise<ThreadOutcome> {
    return new Promise((resolve, reject) => {
      this.current = { resolve, reject };
      this.send({ task });
    });
  }

  /** Asks the thread to close its connection and uploads; a thread that does not is ended. */
  async stop(): Promise<void> {
    if (this.alive) this.send({ cancel: true });
    const grace = new AbortController();
    await Promise.race([this.ended, wait(limits.threadStopMs, undefined, { signal: grace.signal }).catch(() => {})]);
    grace.abort();
    await this.worker.terminate();
  }

  private send(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private lost(cause?: unknown): void {
    this.alive = false;
    this.current?.reject(new HuitongError('INTERNAL', 'a reading thread ended unexpectedly', { cause }));
  }
}
