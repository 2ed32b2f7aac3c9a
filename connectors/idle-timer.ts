import { HuitongError } from '../lib/errors.ts';

/**
 * Tells when nothing has happened for too long. A driver's own limit on a statement's time stops at its first rows. Where
 * it was we who did not listen (decoding, a machine that is too busy), what came meanwhile is heard first.
 */
export class IdleTimer {
  private readonly milliseconds: number;
  private readonly onIdle: () => void;
  private timer: NodeJS.Timeout | undefined;
  private asking: NodeJS.Immediate | undefined;

  constructor(milliseconds: number, onIdle: () => void) {
    this.milliseconds = milliseconds;
    this.onIdle = onIdle;
  }

  restart(): void {
    clearImmediate(this.asking);
    if (this.timer === undefined) this.timer = setTimeout(() => this.ask(), this.milliseconds);
    else this.timer.refresh();
  }

  stop(): void {
    clearImmediate(this.asking);
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The event loop runs timers before it looks at its sockets, and immediates after that. */
  private ask(): void {
    this.asking = setImmediate(this.onIdle);
  }
}

/** SOURCE_TIMEOUT, for a setting `idleTimeoutMs`. */
export function idleError(milliseconds: number, at: string): HuitongError {
  return new HuitongError('SOURCE_TIMEOUT', `the source fell silent for ${milliseconds} ms among its rows`, {
    at,
    hint: 'Raise idleTimeoutMs, or run when the source is less busy.',
  });
}
