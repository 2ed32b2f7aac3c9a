/**
 * HTTP as sources need it: guarded addresses (`web-address.ts`), redirects followed by hand so that each is checked,
 * passing failures tried again, answers decompressed within a limit. Node's own client, because its `lookup` is the
 * place where a checked address can be handed to the connection (docs/decisions/0165-web-sources.md).
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { ConnectorContext } from './connector.ts';
import { AddressBook, type Resolve } from './web-address.ts';
import { boundedBody } from './web-body.ts';
import { connectionError, isPassing, placeOf, statusError } from './web-errors.ts';

export interface WebOptions {
  context: ConnectorContext;
  /** PEM of the authority that signed the server's certificate. */
  ca?: string;
  /** Default 10 s to connect, 60 s without any progress. */
  connectTimeoutMs?: number;
  responseTimeoutMs?: number;
  /** Requests a second at most; absent: as fast as answers come. */
  requestsPerSecond?: number;
  /** For tests. */
  resolve?: Resolve;
}

export interface WebRequest {
  method?: 'GET' | 'HEAD' | 'POST';
  url: URL;
  headers?: Record<string, string>;
  /** Sent only to the URL's own origin: dropped where a redirect leads elsewhere. */
  credentials?: Record<string, string>;
  body?: string;
}

export interface WebAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** After redirects. */
  url: URL;
  /** As the server meant it: no longer compressed. It must be read or destroyed. */
  body: Readable;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** One source's client. `close` ends its connections. */
export class WebClient {
  private readonly options: WebOptions;
  private readonly addresses: AddressBook;
  private readonly http = new HttpAgent({ keepAlive: true });
  private readonly https: HttpsAgent;
  private nextAt = 0;

  constructor(options: WebOptions) {
    this.options = options;
    this.addresses = new AddressBook(options.context.loopbackAllowed ?? false, options.resolve);
    this.https = new HttpsAgent({ keepAlive: true, ca: options.ca });
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  /**
   * A 2xx answer, after redirects and as many attempts as are allowed.
   * @throws HuitongError SOURCE_AUTH, SOURCE_FORBIDDEN, SOURCE_UNREACHABLE, SOURCE_TLS, SOURCE_TIMEOUT, SOURCE_FAILED,
   *   TABLE_NOT_FOUND, SSRF_BLOCKED, CANCELLED
   */
  async request(request: WebRequest): Promise<WebAnswer> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= limits.webAttemptsMax;
      try {
        const answer = await this.follow(request);
        if (answer.status >= 200 && answer.status < 300) return answer;
        answer.body.destroy();
        if (isLast || !isPassing(answer.status)) throw statusError(answer.status, answer.url);
        await this.wait(retryDelayMs(attempt, answer.headers['retry-after']));
      } catch (cause) {
        const error = this.cancelled() ?? connectionError(cause, request.url);
        if (isLast || error.code !== 'SOURCE_UNREACHABLE' || neverAnswers(cause)) throw error;
        await this.wait(retryDelayMs(attempt));
      }
    }
  }

  /** The whole answer. Throws OBJECT_TOO_LARGE, DECOMPRESSION_LIMIT, and what `request` throws. */
  async bytes(request: WebRequest, bytesMax: number): Promise<{ bytes: Buffer; answer: WebAnswer }> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.request(request);
      try {
        return { bytes: await collect(answer, bytesMax), answer };
      } catch (cause) {
        // An answer that broke off in the middle is asked for again; nothing of it was used.
        const error = this.cancelled() ?? connectionError(cause, answer.url);
        if (attempt >= limits.webAttemptsMax || error.code !== 'SOURCE_UNREACHABLE') throw error;
        await this.wait(retryDelayMs(attempt));
      }
    }
  }

  private async follow(request: WebRequest): Promise<WebAnswer> {
    let current = request;
    for (let hop = 0; ; hop++) {
      const message = await this.send(current);
      const status = message.statusCode ?? 0;
      const { location } = message.headers;
      if (!redirects.has(status) || location === undefined) {
        return { status, headers: message.headers, url: current.url, body: boundedBody(message, current.url) };
      }
      message.destroy();
      if (hop >= limits.webRedirectsMax) {
        throw new HuitongError('SOURCE_FAILED', 'the source redirects without end', { at: placeOf(current.url) });
      }
      current = redirected(current, location, status);
    }
  }

  private async send(request: WebRequest): Promise<IncomingMessage> {
    await this.pace();
    const { url, method = 'GET', headers, credentials, body } = request;
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw new HuitongError('SSRF_BLOCKED', 'only http and https are followed', { at: url.protocol });
    }
    // An address that stands in the URL itself is never looked up.
    await this.addresses.admit(url.hostname);
    const secure = url.protocol === 'https:';
    const { connectTimeoutMs = 10_000, responseTimeoutMs = 60_000, context } = this.options;
    return new Promise((resolve, reject) => {
      const sent = (secure ? httpsRequest : httpRequest)(url, {
        method,
        agent: secure ? this.https : this.http,
        lookup: this.addresses.lookup,
        signal: context.signal,
        headers: {
          'accept-encoding': 'gzip, deflate, br',
          'user-agent': context.label.replaceAll(/[^\x20-\x7e]/g, '?'),
          ...headers,
          ...credentials,
        },
      });
      const timedOut = (what: string) => () =>
        sent.destroy(new HuitongError('SOURCE_TIMEOUT', `the source ${what}`, { at: placeOf(url) }));
      const connecting = setTimeout(timedOut('did not let us connect in time'), connectTimeoutMs);
      sent.on('socket', (socket) => {
        if (!socket.connecting) clearTimeout(connecting);
        else socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
      });
      sent.setTimeout(responseTimeoutMs, timedOut('left us without an answer'));
      sent.on('close', () => clearTimeout(connecting));
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  private async pace(): Promise<void> {
    const { requestsPerSecond } = this.options;
    if (requestsPerSecond === undefined) return;
    const now = performance.now();
    const at = Math.max(now, this.nextAt);
    this.nextAt = at + 1000 / requestsPerSecond;
    if (at > now) await this.wait(at - now);
  }

  private async wait(milliseconds: number): Promise<void> {
    try {
      await delay(milliseconds, undefined, { signal: this.options.context.signal });
    } catch (cause) {
      throw this.cancelled() ?? cause;
    }
  }

  private cancelled(): HuitongError | undefined {
    return this.options.context.signal.aborted ? new HuitongError('CANCELLED', 'the request was cancelled') : undefined;
  }
}

/** Neither a name that does not exist nor a port at which nobody listens comes true within seconds. */
function neverAnswers(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOTFOUND' || cause.code === 'ECONNREFUSED');
}

/** RFC 9110, section 15.4: 303 becomes GET, and so, as every client does it, do 301 and 302 of a POST. */
function redirected(request: WebRequest, location: string, status: number): WebRequest {
  const from = request.url;
  if (!URL.canParse(location, from.href)) {
    throw new HuitongError('SOURCE_FAILED', 'the source redirects to what is no URL', { at: placeOf(from) });
  }
  const url = new URL(location, from);
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new HuitongError('SOURCE_TLS', 'the source redirects from https to http', { at: placeOf(from) });
  }
  const keepsMethod = status === 307 || status === 308 || request.method !== 'POST';
  const { credentials, body, ...rest } = keepsMethod
    ? request
    : { ...request, method: 'GET' as const, body: undefined };
  const sameOrigin = url.origin === from.origin;
  return { ...rest, url, ...(body === undefined ? {} : { body }), ...(sameOrigin ? { credentials } : {}) };
}

/** Doubling, with a quarter of chance so that many workers do not come back at once; Retry-After wins, within a limit. */
export function retryDelayMs(attempt: number, retryAfter?: string, now = Date.now()): number {
  const asked = retryAfter === undefined ? undefined : retryAfterMs(retryAfter, now);
  const doubled = limits.webRetryMs * 2 ** (attempt - 1) * (1 + Math.random() / 4);
  return Math.min(asked ?? doubled, limits.webRetryMaxMs);
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMs(text: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

async function collect({ body, url }: WebAnswer, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new HuitongError('OBJECT_TOO_LARGE', `the answer is larger than ${bytesMax} bytes`, {
        at: placeOf(url),
        hint: 'Ask for smaller pages, or raise responseBytesMax of the source.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
