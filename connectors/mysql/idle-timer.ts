/** Tells when nothing has happened for too long. */
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
