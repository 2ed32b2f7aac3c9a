/** Asks a person for a secret; where there is no terminal, a line of standard input is it. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, exitCodes } from './errors.ts';

/** What is typed is not shown. Lines come from one reader, so that several can be piped in. */
export class SecretPrompt {
  readonly #lines: AsyncIterator<string>;
  readonly #reader: ReturnType<typeof createInterface>;
  readonly #terminal = process.stdin.isTTY === true;

  constructor() {
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    this.#reader = createInterface({ input: process.stdin, output, terminal: this.#terminal });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async ask(question: string): Promise<string> {
    if (this.#terminal) process.stderr.write(question);
    const { value, done } = await this.#lines.next();
    if (this.#terminal) process.stderr.write('\n');
    if (done === true) throw new CommandError(`未输入 · nothing was given for ${question.trim()}`, exitCodes.usage);
    return value;
  }

  close(): void {
    this.#reader.close();
  }
}
