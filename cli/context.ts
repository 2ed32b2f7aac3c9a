/** What every command is given: the client, made when first asked for, and how to print. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Language } from '../lib/language.ts';
import { ApiClient, type ConnectionOptions, findConnection } from './client.ts';
import { languageFor } from './language.ts';
import { printJson } from './output.ts';

interface GlobalOptions extends ConnectionOptions {
  json?: boolean;
  lang?: string;
}

export class CommandContext {
  readonly #program: Command;

  constructor(program: Command) {
    this.#program = program;
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  get language(): Language {
    return languageFor(this.#options.lang, process.env);
  }

  async client(): Promise<ApiClient> {
    return new ApiClient(await findConnection(this.#options, this.language));
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
  throw new InvalidArgumentError('It is a whole number from 1.');
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
