/**
 * Keeps embedded services and our own processes running: started one after the other, each when the one before is
 * ready; started again, after a growing pause, when one ends by itself; stopped in reverse order.
 *
 * Nothing is left behind: on Ctrl-C we stop in order; if we are killed, services are ended by their watchdog, our
 * processes end when their channel to us closes, and the notes in the state folder catch what both missed.
 */
import { HuitongError } from '../lib/errors.ts';
import type { StateFolder } from './state.ts';

/** Something that was started. Embedded services and `startNodeProcess` both give one. */
export interface Running {
  readonly pid: number;
  /** Settles when it has ended, whoever ended it. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  state: Pick<StateFolder, 'note' | 'forget'>;
  onLog: (line: string) => void;
  /** First pause before a restart; it doubles up to `restartPauseMaxMs`. Default 250. */
  restartPauseMs?: number;
  /** Default 15,000. */
  restartPauseMaxMs?: number;
  /** One that ran this long is considered well: its next pause is the first one again. Default 60,000. */
  wellAfterMs?: number;
}

interface Entry {
  name: string;
  start: () => Promise<Running>;
  running?: Running;
  startedAt: number;
  failures: number;
  /** The restart under way, where there is one: `stop` waits for it. */
  restart: Promise<void>;
}

export class Supervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #entries: Entry[] = [];
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = { restartPauseMs: 250, restartPauseMaxMs: 15_000, wellAfterMs: 60_000, ...options };
  }

  /** Starts one and waits until it is ready. The first start's failure is the caller's; later ones are tried again. */
  async start<R extends Running>(name: string, start: () => Promise<R>): Promise<R> {
    // Whoever starts one after the other may not know yet that all are being stopped.
    if (this.#stopping.signal.aborted) throw new HuitongError('CANCELLED', `${name} is not started any more`);
    const entry: Entry = { name, start, startedAt: 0, failures: 0, restart: Promise.resolve() };
    // Known before it is ready, so that a stop in the middle of the start waits for it and stops it too.
    this.#entries.push(entry);
    const before = Date.now();
    const starting = this.#startOnce(entry);
    entry.restart = starting.then(
      () => {},
      () => {},
    );
    const running = await starting;
    this.#options.onLog(`${name}: ready after ${((Date.now() - before) / 1000).toFixed(1)} s`);
    return running as R;
  }

  /** Stops all in reverse order; one that fails to stop does not keep the others running. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const entry of this.#entries.splice(0).reverse()) {
      await entry.restart;
      try {
        await entry.running?.stop();
        await this.#options.state.forget(entry.name);
      } catch (e: unknown) {
        this.#options.onLog(`${entry.name}: did not stop in order: ${messageOf(e)}`);
      }
    }
  }

  async #startOnce(entry: Entry): Promise<Running> {
    const running = await entry.start();
    entry.running = running;
    entry.startedAt = Date.now();
    await this.#options.state.note(entry.name, running.pid);
    void running.ended.then(() => {
      if (this.#stopping.signal.aborted || entry.running !== running) return;
      entry.restart = this.#restart(entry);
    });
    return running;
  }

  async #restart(entry: Entry): Promise<void> {
    const { restartPauseMs, restartPauseMaxMs, wellAfterMs, onLog } = this.#options;
    if (Date.now() - entry.startedAt >= wellAfterMs) entry.failures = 0;
    entry.running = undefined;
    onLog(`${entry.name}: ended unexpectedly`);
    while (!this.#stopping.signal.aborted) {
      const pauseMs = Math.min(restartPauseMs * 2 ** entry.failures, restartPauseMaxMs);
      entry.failures += 1;
      await pause(pauseMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#startOnce(entry);
        onLog(`${entry.name}: ready again`);
        return;
      } catch (e: unknown) {
        onLog(`${entry.name}: could not be started again: ${messageOf(e)}`);
      }
    }
  }
}

/** Ends early when `signal` does; leaves no listener on it, however often it is called. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}
