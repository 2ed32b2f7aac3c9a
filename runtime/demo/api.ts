/** The demo uses the exchange as everybody does: through its HTTP API. */

import { errorCodes } from '../../lib/error-codes.ts';
import { type ErrorCode, HuitongError } from '../../lib/errors.ts';

export class Api {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  get<T>(path: string): Promise<T> {
    return this.#json('GET', path);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#json('POST', path, body);
  }

  /** All items of a listing, over all its pages. */
  async list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null | undefined;
    do {
      const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
      const page = await this.get<{ items: T[]; next?: string | null }>(path + query);
      items.push(...page.items);
      cursor = page.next;
    } while (cursor);
    return items;
  }

  /** The answer itself, whatever its status. */
  open(path: string, accept: string): Promise<Response> {
    return fetch(`${this.url}/v1${path}`, { headers: { ...this.#headers(), accept } });
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: { ...this.#headers(), ...type },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw await refusal(response, `${method} ${path}`);
    return (await response.json()) as T;
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, 'accept-language': 'en' };
  }
}

/** The problem document as the error it was made from (RFC 9457). */
async function refusal(response: Response, at: string): Promise<HuitongError> {
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; hint?: string };
  const code: ErrorCode =
    problem.code !== undefined && problem.code in errorCodes ? (problem.code as ErrorCode) : 'INTERNAL';
  return new HuitongError(code, problem.detail ?? `the exchange answered ${response.status}`, {
    at,
    hint: problem.hint,
  });
}
