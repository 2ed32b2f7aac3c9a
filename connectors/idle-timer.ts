import { HuitongError } from '../lib/errors.ts';

/** Tells when nothing has happened for too long. A driver's own limit on a statement's time stops at its first rows. */
export class IdleTimer {
  private readonly milliseconds: number;
  private readonly onIdle: () => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, onIdle: () => void) {
    this.milliseconds = milliseconds;
    this.onIdle = onIdle;
  }

  restart(): void {
    if (this.timer === undefined) this.timer = setTimeout(this.onIdle, this.milliseconds);
    else this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/** SOURCE_TIMEOUT, for a setting `idleTimeoutMs`. */
export function idleError(milliseconds: number, at: string): HuitongError {
  return new HuitongError('SOURCE_TIMEOUT', `the source fell silent for ${milliseconds} ms among its rows`, {
    at,
    hint: 'Raise idleTimeoutMs, or run when the source is less busy.',
  });
}
