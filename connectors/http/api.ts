/** One API as its owner's configuration describes it: requests with proof of who asks, answers as exact JSON. */
import { atPointer, type JsonValue, parseExactJson } from '../../columnar/exact-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ConnectorContext } from '../connector.ts';
import { type WebAnswer, WebClient } from '../web-client.ts';
import { placeOf } from '../web-errors.ts';
import { assertConfig, type HttpConfig, type HttpTable } from './config.ts';

/** Renewed so long before it ends. */
const TOKEN_SPARE_MS = 30_000;
const TOKEN_LIFE_DEFAULT_MS = 300_000;
const TOKEN_ANSWER_BYTES_MAX = 64 * 1024;

export interface JsonAnswer {
  document: JsonValue;
  answer: WebAnswer;
}

/** Close it when done. */
export class HttpApi {
  readonly base: URL;
  private readonly config: HttpConfig;
  private readonly client: WebClient;
  private token: { value: string; endsAt: number } | undefined;

  /** Throws CONFIG_INVALID. */
  constructor(config: HttpConfig, context: ConnectorContext) {
    assertConfig(config);
    this.config = config;
    this.base = new URL(config.url);
    const { ca, connectTimeoutMs, responseTimeoutMs, requestsPerSecond } = config;
    this.client = new WebClient({ context, ca, connectTimeoutMs, responseTimeoutMs, requestsPerSecond });
  }

  close(): void {
    this.client.close();
  }

  /** The URL of a table's first page, without what paging adds. */
  urlOf(table: HttpTable, query: Record<string, string>): URL {
    const url = new URL(this.base.href.replace(/\/$/, '') + table.path);
    for (const [name, value] of Object.entries({ ...table.query, ...query })) url.searchParams.set(name, value);
    return url;
  }

  /** Throws what `WebClient.bytes` throws, JSON_INVALID and JSON_AMBIGUOUS. */
  async page(table: HttpTable, url: URL): Promise<JsonAnswer> {
    try {
      return await this.fetch(table, url);
    } catch (cause) {
      // A token may be withdrawn before its time: asked for anew, once.
      if (this.token === undefined || !(cause instanceof HuitongError && cause.code === 'SOURCE_AUTH')) throw cause;
      this.token = undefined;
      return this.fetch(table, url);
    }
  }

  private async fetch(table: HttpTable, url: URL): Promise<JsonAnswer> {
    const { headers, responseBytesMax = limits.webAnswerBytesMax } = this.config;
    const asked = new URL(url);
    // A next page elsewhere gets no credentials.
    const credentials = asked.origin === this.base.origin ? await this.credentials(asked) : {};
    const hasBody = table.method === 'POST';
    const { bytes, answer } = await this.client.bytes(
      {
        method: table.method,
        url: asked,
        headers: {
          accept: 'application/json',
          ...(hasBody ? { 'content-type': 'application/json' } : {}),
          ...headers,
          ...table.headers,
        },
        credentials,
        body: hasBody ? JSON.stringify(table.body ?? {}) : undefined,
      },
      responseBytesMax,
    );
    return { document: jsonOf(bytes, placeOf(asked)), answer };
  }

  /** Headers; a key in the query is set on the URL. */
  private async credentials(url: URL): Promise<Record<string, string>> {
    const { authentication } = this.config;
    switch (authentication?.kind) {
      case undefined:
        return {};
      case 'basic': {
        const pair = Buffer.from(`${authentication.user}:${authentication.password}`).toString('base64');
        return { authorization: `Basic ${pair}` };
      }
      case 'bearer':
        return { authorization: `Bearer ${authentication.token}` };
      case 'apiKey':
        if (authentication.in === 'header') return { [authentication.name]: authentication.key };
        url.searchParams.set(authentication.name, authentication.key);
        return {};
      case 'oauth2':
        return { authorization: `Bearer ${await this.accessToken(authentication)}` };
    }
  }

  /** RFC 6749, section 4.4: client credentials, the client known by HTTP Basic (section 2.3.1). */
  private async accessToken(client: {
    authorizationServer: string;
    clientId: string;
    clientSecret: string;
    scope?: string;
  }): Promise<string> {
    if (this.token !== undefined && this.token.endsAt > Date.now()) return this.token.value;
    const pair = [client.clientId, client.clientSecret].map(encodeURIComponent).join(':');
    const url = new URL(client.authorizationServer);
    const { bytes } = await this.client
      .bytes(
        {
          method: 'POST',
          url,
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          credentials: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            ...(client.scope === undefined ? {} : { scope: client.scope }),
          }).toString(),
        },
        TOKEN_ANSWER_BYTES_MAX,
      )
      .catch((cause: unknown) => {
        // RFC 6749, section 5.2: a client that is not known may be told so with 400.
        if (cause instanceof HuitongError && /HTTP 400/.test(cause.message)) {
          throw new HuitongError('SOURCE_AUTH', 'the token endpoint refused the client', { at: placeOf(url), cause });
        }
        throw cause;
      });
    const answer = jsonOf(bytes, placeOf(url));
    const value = atPointer(answer, '/access_token');
    if (typeof value !== 'string') {
      throw new HuitongError('SOURCE_AUTH', 'the token endpoint gave no access token', { at: placeOf(url) });
    }
    const life = numberAt(answer, '/expires_in');
    const lifeMs = life === undefined ? TOKEN_LIFE_DEFAULT_MS : life * 1000;
    this.token = { value, endsAt: Date.now() + Math.max(0, lifeMs - TOKEN_SPARE_MS) };
    return value;
  }
}

function jsonOf(bytes: Buffer, at: string): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HuitongError('ENCODING', 'the answer is not UTF-8', { at, cause });
  }
  try {
    return parseExactJson(text);
  } catch (cause) {
    if (!(cause instanceof HuitongError)) throw cause;
    throw new HuitongError(cause.code, `the answer: ${cause.message}`, { at });
  }
}

/** A count, which a double holds; undefined where there is none. */
export function numberAt(document: JsonValue, pointer: string): number | undefined {
  const value = atPointer(document, pointer);
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'object' && value !== null && 'text' in value
        ? value.text
        : '';
  return /^\d{1,15}$/.test(String(text)) ? Number(text) : undefined;
}
