/** What every command is given: the client, made when first asked for, and how to print. */
import { type Command, InvalidArgumentError } from 'commander';
import { ApiClient, findConnection } from './client.ts';
import { printJson } from './output.ts';

interface GlobalOptions {
  url?: string;
  token?: string;
  as?: string;
  json?: boolean;
}

export class CommandContext {
  readonly #program: Command;

  constructor(program: Command) {
    this.#program = program;
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  async client(): Promise<ApiClient> {
    return new ApiClient(await findConnection(this.#options));
  }

  /** One result, two forms. */
  show<T>(value: T, forPeople: (value: T) => void): void {
    if (this.json) printJson(value);
    else forPeople(value);
  }

  get #options(): GlobalOptions {
    return this.#program.opts<GlobalOptions>();
  }
}

/** For options that count. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number from 1.');
}

/** Collects a paged listing, up to `limit` items. */
export async function take<T>(items: AsyncGenerator<T>, limit: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    if (taken.length >= limit) break;
    taken.push(item);
  }
  return taken;
}
