/** Somebody in a story: signs in with an account of their own, and does everything through the `huitong` command. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { HuitongError } from '../../lib/errors.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'huitong.mjs');

export interface Said {
  code: number;
  /** Standard output, then standard error. */
  text: string;
  stdout: string;
}

export interface Stage {
  url: string;
  /** Folder of what people keep: sessions, downloads, receipts. */
  directory: string;
  say(line: string): void;
}

interface CommandOptions {
  /** What is typed or piped in; never shown. */
  input?: string;
  /** Exit code expected: 0 unless told otherwise. */
  expect?: number;
  /** Lines of the output that are shown; the rest is counted. */
  lines?: number;
  /** Not shown at all: asked again and again until something has happened. */
  quiet?: boolean;
}

export class Person {
  readonly title: string;
  readonly login: string;
  readonly #stage: Stage;
  readonly #token: string | undefined;

  /** `token`: for who has no account yet. */
  constructor(stage: Stage, login: string, title: string, token?: string) {
    this.#stage = stage;
    this.login = login;
    this.title = title;
    this.#token = token;
  }

  /** Runs one command as this person, and shows it with its beginning. Throws INTERNAL where it ends otherwise. */
  async huitong(args: string[], options: CommandOptions = {}): Promise<Said> {
    const { expect = 0, lines = 8, quiet = false } = options;
    const say = (line: string) => quiet || this.#stage.say(line);
    say(`\n  ${this.title} $ huitong ${args.map(quoted).join(' ')}`);
    const said = await this.#run(args, options.input ?? '');
    const shown = said.text.trimEnd().split('\n');
    for (const line of shown.slice(0, lines)) say(`    ${line}`);
    if (shown.length > lines) say(`    … ${shown.length - lines} more lines`);
    if (said.code === expect) return said;
    throw new HuitongError('INTERNAL', `the command ended with ${said.code}, not ${expect}: ${said.text}`, {
      at: args.join(' '),
    });
  }

  #run(args: string[], input: string): Promise<Said> {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: this.#stage.directory,
      env: {
        PATH: process.env.PATH,
        HUITONG_URL: this.#stage.url,
        XDG_CONFIG_HOME: join(this.#stage.directory, this.login),
        ...(this.#token === undefined ? {} : { HUITONG_TOKEN: this.#token }),
      },
    });
    return new Promise((resolve, reject) => {
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, text: stdout + stderr, stdout }));
      // A command that ends before it has read its input is judged by its exit code.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }
}

function quoted(arg: string): string {
  return /^[\w./:,=@-]+$/.test(arg) ? arg : `'${arg}'`;
}
