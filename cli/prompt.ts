/** Asks a person: for a yes, or for a secret, which is a line of standard input where there is no terminal. */
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

/** Whether somebody at the terminal says yes; where there is none, wrong usage. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      '标准输入不是终端：如不需确认请给出 --yes · standard input is not a terminal: give --yes to go on without being asked',
      exitCodes.usage,
    );
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
