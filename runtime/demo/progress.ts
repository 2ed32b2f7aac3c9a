/** What the demo says while it works: one line that is written over on a terminal, plain lines elsewhere. */
const CLEAR_LINE = '\r\u001b[2K';

export class Progress {
  readonly #output: NodeJS.WriteStream;
  readonly #since = Date.now();
  #live = '';

  constructor(output: NodeJS.WriteStream = process.stdout) {
    this.#output = output;
  }

  /** A line that stays. */
  say(text: string): void {
    const live = this.#live;
    this.clear();
    this.#output.write(`${text}\n`);
    if (live !== '') this.#show(live);
  }

  /** A step with the time since the demo's start. */
  step(text: string): void {
    this.say(`${((Date.now() - this.#since) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  }

  /** The line that is written over; nothing where the output is not a terminal. */
  live(text: string): void {
    if (this.#output.isTTY !== true) return;
    this.#show(text.slice(0, (this.#output.columns ?? 80) - 1));
  }

  clear(): void {
    if (this.#live !== '') this.#output.write(CLEAR_LINE);
    this.#live = '';
  }

  #show(text: string): void {
    this.#output.write(CLEAR_LINE + text);
    this.#live = text;
  }
}
