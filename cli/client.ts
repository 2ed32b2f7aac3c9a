/** The HTTP API as the commands use it: JSON in, JSON or a stream out, problems become `CommandError`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Language } from '../lib/language.ts';
import type { Health } from '../schemas/generated/api.ts';
import { CommandError, exitCodes, type RemoteProblem } from './errors.ts';
import { sessionFor } from './sessions.ts';

export interface Connection {
  url: string;
  token?: string;
  language: Language;
}

type Body = string | AsyncIterable<Uint8Array>;

export interface Page<T> {
  items: T[];
  next?: string;
}

/**
 * `--url` and `--token`, else HUITONG_URL and HUITONG_TOKEN, else the session of `huitong login`, else what `npm run
 * demo` left in `cli.json` of HUITONG_STATE or else `.huitong` in this folder (mode 0600): `{ "url": …, "tokens":
 * { "<name>": … } }`, of which `--as` chooses one. Unless it is chosen, no other exchange is sent such a token.
 */
export async function findConnection(options: ConnectionOptions, language: Language): Promise<Connection> {
  const stored = await storedConnection();
  const url = options.url ?? process.env.HUITONG_URL ?? stored?.url;
  if (!url) {
    throw new CommandError(
      '未指明交换平台：请给出 --url，或设置 HUITONG_URL，或在此文件夹运行 npm run demo · no exchange is named: give --url, set HUITONG_URL, or run `npm run demo` in this folder',
      exitCodes.usage,
    );
  }
  const explicit = options.token ?? (options.as ? undefined : process.env.HUITONG_TOKEN);
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new CommandError(`${url} 不是网址 · ${url} is no address: give it as http://host:port`, exitCodes.usage);
  }
  const exchange = url.replace(/\/$/, '');
  // Who signed in is meant before a token that only lies about in this folder; also when the session has run out:
  // nobody becomes the demo's administrator by waiting.
  const session = explicit === undefined && options.as === undefined ? await sessionFor(exchange) : undefined;
  if (session !== undefined) {
    const isOver = Date.parse(session.expiresAt) <= Date.now();
    return { url: exchange, token: isOver ? undefined : session.secret, language };
  }
  const isDemo = stored?.url.replace(/\/$/, '') === exchange || options.as !== undefined;
  return { url: exchange, token: explicit ?? (isDemo ? storedToken(stored, options.as) : undefined), language };
}

export interface ConnectionOptions {
  url?: string;
  token?: string;
  as?: string;
}

interface StoredConnection {
  url: string;
  tokens: Record<string, string>;
}

async function storedConnection(): Promise<StoredConnection | undefined> {
  try {
    return JSON.parse(await readFile(join(process.env.HUITONG_STATE || '.huitong', 'cli.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function storedToken(stored: StoredConnection | undefined, as?: string): string | undefined {
  const name = as ?? 'administrator';
  const token = stored?.tokens[name];
  if (as && !token) {
    const known = Object.keys(stored?.tokens ?? {});
    throw new CommandError(
      `.huitong/cli.json 中没有名为 ${as} 的令牌；现有：${known.join(', ') || '无'} · no token named ${as} in .huitong/cli.json; there are: ${known.join(', ') || 'none'}`,
      exitCodes.usage,
    );
  }
  return token;
}

export class ApiClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#json<T>('POST', path, body);
  }

  /** A body of bytes, streamed. */
  async send<T>(path: string, body: { bytes: AsyncIterable<Uint8Array>; sizeBytes: number }): Promise<T> {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.sizeBytes) };
    return (await (await this.#send('POST', path, headers, body.bytes)).json()) as T;
  }

  delete(path: string): Promise<void> {
    return this.#json('DELETE', path);
  }

  /** The one answer that is no problem although its status is 503. */
  async health(): Promise<Health> {
    const response = await this.#fetch('GET', '/health', {});
    if (response.status !== 200 && response.status !== 503) throw await problemFrom(response);
    return (await response.json()) as Health;
  }

  /** Follows cursors to the end. */
  async *pages<T>(path: string): AsyncGenerator<T> {
    let cursor: string | undefined;
    do {
      const joiner = path.includes('?') ? '&' : '?';
      const page = await this.get<Page<T>>(cursor ? `${path}${joiner}cursor=${encodeURIComponent(cursor)}` : path);
      yield* page.items;
      cursor = page.next;
    } while (cursor);
  }

  /** The response itself, for bodies that are streamed; a problem is thrown. */
  async open(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send('GET', path, headers);
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.#send(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async #send(method: string, path: string, headers: Record<string, string>, body?: Body): Promise<Response> {
    const response = await this.#fetch(method, path, headers, body);
    if (!response.ok) throw await problemFrom(response);
    return response;
  }

  async #fetch(method: string, path: string, headers: Record<string, string>, body?: Body): Promise<Response> {
    const { url, token, language } = this.connection;
    try {
      return await fetch(`${url}/v1${path}`, {
        method,
        ...(typeof body === 'string' || body === undefined ? { body } : { body: Readable.from(body), duplex: 'half' }),
        headers: { 'accept-language': language, ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      });
    } catch (cause) {
      const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : 'no answer';
      throw new CommandError(`无法连接 ${url}：${reason} · ${url} cannot be reached: ${reason}`, exitCodes.unreachable);
    }
  }
}

async function problemFrom(response: Response): Promise<CommandError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as RemoteProblem;
    return new CommandError(problem.detail ?? problem.title, exitCodes.failed, problem);
  } catch {
    return new CommandError(
      `交换平台的答复无法识别 (${response.status} ${response.statusText}) · ${response.url} answered ${response.status} ${response.statusText}, as no exchange does`,
      exitCodes.failed,
    );
  }
}
