/**
 * Takes a response's rows away from tedious: everything else stays its work (login, TLS, NTLM, routing, errors,
 * cancellation). The seam is `connection.createTokenStreamParser(message, handler)`, which tedious calls once a
 * response; it is private to tedious, hence the exact version in package.json and the self-test at each connect.
 * Why: docs/decisions/0090-rows-taken-over-from-tedious.md.
 */
import { PassThrough, type Readable } from 'node:stream';
import type { Connection, Request } from 'tedious';
import { HuitongError } from '../../lib/errors.ts';

/** Takes the payload of packets; `full` says that no more is wanted for now. */
export interface RowConsumer {
  readonly full: boolean;
  readonly left: number;
  take(packet: Buffer, forward: (token: Buffer) => void): void;
  decode(forward: (token: Buffer) => void): void;
}

/** What happens to a response, told to whoever asked for it. */
export interface ResponseEvents {
  /** The consumer is full; reading stopped. */
  onFull(): void;
  /** The consumer threw. Reading goes on without it, so that the connection stays in step. */
  onFailure(cause: unknown): void;
  /** Something arrived. */
  onData(): void;
}

export class Takeover {
  private readonly responses = new WeakMap<object, Response>();

  /** Overrides the seam on this connection alone. Throws where tedious has none. */
  constructor(connection: Connection) {
    const original = connection.createTokenStreamParser;
    if (typeof original !== 'function') throw new Error('tedious has no createTokenStreamParser');
    connection.createTokenStreamParser = (message, handler) => {
      // An attention's acknowledgement has the same request, and is not rows.
      const request = 'attentionReceived' in handler || !('request' in handler) ? undefined : handler.request;
      const response = typeof request === 'object' && request !== null ? this.responses.get(request) : undefined;
      if (response === undefined) return original.call(connection, message, handler);
      const rest = new PassThrough();
      const parser = original.call(connection, rest as unknown as typeof message, handler);
      response.attach(message, rest);
      return parser;
    };
  }

  /** The rows of this request, which was not sent yet, go to `consumer`. */
  expect(request: Request, consumer: RowConsumer, events: ResponseEvents): Response {
    const response = new Response(consumer, events);
    this.responses.set(request, response);
    request.on('cancel', () => response.discard());
    return response;
  }
}

/**
 * tedious logs in unencrypted, password and all, where `encrypt` is asked for and the server says that it has no TLS:
 * so does whoever stands between. Here that is the end of the attempt, before the login is sent.
 */
export function insistOnTls(connection: Connection, at: string): void {
  const original = connection.performTlsNegotiation;
  if (typeof original !== 'function') throw new Error('tedious has no performTlsNegotiation');
  connection.performTlsNegotiation = (prelogin, signal) => {
    if (prelogin.encryptionString === 'ON' || prelogin.encryptionString === 'REQ') {
      return original.call(connection, prelogin, signal);
    }
    return Promise.reject(
      new HuitongError('SOURCE_TLS', 'the source offers no TLS, and `encrypt` asks for it', { at }),
    );
  };
}

/** One response on its way from tedious' message stream to the consumer. */
export class Response {
  private readonly consumer: RowConsumer;
  private readonly events: ResponseEvents;
  private message: Readable | undefined;
  private rest: PassThrough | undefined;
  private isDiscarded = false;
  private hasEnded = false;
  private readonly forward = (token: Buffer) => {
    this.rest?.write(token);
  };

  constructor(consumer: RowConsumer, events: ResponseEvents) {
    this.consumer = consumer;
    this.events = events;
  }

  attach(message: Readable, rest: PassThrough): void {
    this.message = message;
    this.rest = rest;
    message.on('data', (packet: Buffer) => {
      this.events.onData();
      this.run(() => this.consumer.take(packet, this.forward));
    });
    message.on('end', () => {
      this.hasEnded = true;
      this.run(() => this.consumer.decode(this.forward));
    });
  }

  /** The consumer has room again. */
  resume(): void {
    if (this.run(() => this.consumer.decode(this.forward))) this.message?.resume();
  }

  /** Takes what is still to come, and drops it. */
  discard(): void {
    this.isDiscarded = true;
    if (this.hasEnded) this.rest?.end();
    this.message?.resume();
  }

  /** False where reading must stop. */
  private run(work: () => void): boolean {
    if (!this.isDiscarded) {
      try {
        work();
      } catch (cause) {
        this.isDiscarded = true;
        this.events.onFailure(cause);
      }
    }
    if (!this.isDiscarded && this.consumer.full) {
      this.message?.pause();
      this.events.onFull();
      return false;
    }
    if (this.hasEnded) this.finish();
    return true;
  }

  private finish(): void {
    if (!this.isDiscarded && this.consumer.left > 0) {
      this.isDiscarded = true;
      this.events.onFailure(new Error('the response ends within a row'));
    }
    this.rest?.end();
  }
}
