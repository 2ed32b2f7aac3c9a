/** One connection: tedious logs in and runs queries; the rows of a table go to a `RowDecoder`. */
import { type ConnectionConfiguration, Connection as Driver, Request, TYPES } from 'tedious';
import { HuitongError } from '../../lib/errors.ts';
import type { ConnectorContext } from '../connector.ts';
import { IdleTimer, idleError } from '../idle-timer.ts';
import { type ConnectionTarget, connectionTarget, type MssqlConfig } from './config.ts';
import { loginError, sourceError } from './errors.ts';
import { assertRowsCanBeTaken } from './self-test.ts';
import { insistOnTls, type RowConsumer, Takeover } from './takeover.ts';

/** After attention, how long the source may take before the connection is simply ended. */
const CANCEL_TIMEOUT_MS = 1_000;
const APPLICATION_NAME_MAX = 128;
/** The largest packets that TLS, and that the protocol, allows. */
const TLS_PACKET_BYTES = 16_383;
const PACKET_BYTES = 32_767;

export type Row = Record<string, unknown>;

export class Connection {
  readonly target: ConnectionTarget;
  private readonly driver: Driver;
  private readonly takeover: Takeover;
  private readonly signal: AbortSignal;
  private readonly onAbort = () => this.abort();
  private failure: unknown;
  private ended = false;
  private busy = false;
  private wake: () => void = () => {};

  /** Use `openConnection`. */
  constructor(target: ConnectionTarget, context: ConnectorContext) {
    this.target = target;
    this.signal = context.signal;
    this.driver = new Driver(driverOptions(target, context.label));
    // Without a listener a connection that breaks would end the process.
    this.driver.on('error', (cause) => this.fail(cause));
    this.driver.on('end', () =>
      this.fail(new HuitongError('SOURCE_UNREACHABLE', 'the connection ended', { at: this.address })),
    );
    this.takeover = new Takeover(this.driver);
    // `strict` begins with TLS, before there is anything to negotiate.
    if (target.encrypt === true) insistOnTls(this.driver, this.address);
  }

  /** Whether the connection has failed or was closed. */
  get isLost(): boolean {
    return this.ended || this.failure !== undefined;
  }

  get address(): string {
    return `${this.target.server}:${this.target.port}/${this.target.database}`;
  }

  async open(): Promise<void> {
    this.signal.addEventListener('abort', this.onAbort, { once: true });
    // tedious' own error of a refused login tells no numbers.
    const numbers: number[] = [];
    this.driver.on('errorMessage', ({ number }: { number: number }) => numbers.push(number));
    try {
      if (this.signal.aborted) throw new HuitongError('CANCELLED', 'cancelled before connecting');
      await new Promise<void>((resolve, reject) => {
        this.wake = () => reject(this.failure);
        this.driver.connect((cause) => (cause === undefined ? resolve() : reject(cause)));
      });
    } catch (cause) {
      this.destroy();
      throw this.explain(loginError(numbers, this.address, cause) ?? cause, this.address);
    }
  }

  /** Rows as objects: for catalogs and totals, never for a table's rows. `values` are @p0, @p1, … */
  async query(sql: string, values: string[] = [], at = this.address): Promise<Row[]> {
    const rows: Row[] = [];
    await this.send(sql, at, (request) => {
      for (const [i, value] of values.entries()) request.addParameter(`p${i}`, TYPES.NVarChar, value);
      request.on('row', (cells: { metadata: { colName: string }; value: unknown }[]) => {
        rows.push(Object.fromEntries(cells.map(({ metadata, value }) => [metadata.colName, value])));
      });
      if (values.length > 0) this.driver.execSql(request);
      else this.driver.execSqlBatch(request);
    });
    return rows;
  }

  /** Runs a query whose rows go to `consumer`; for few rows, which must fit into it. */
  async queryInto(sql: string, consumer: RowConsumer, at = this.address): Promise<void> {
    for await (const _ of this.stream(sql, consumer, at)) {
      throw new HuitongError('INTERNAL', 'a query that should give few rows gave many', { at });
    }
  }

  /**
   * Runs a query whose rows go to `consumer`. Yields each time the consumer is full, and goes on when the caller asks
   * for more; returns when every row was taken. A caller that stops half-way ends the connection.
   */
  async *stream(sql: string, consumer: RowConsumer, at: string): AsyncGenerator<void> {
    let done = false;
    let isFull = false;
    let resume = () => {};
    const timer = new IdleTimer(this.target.idleTimeoutMs, () => this.fail(idleError(this.target.idleTimeoutMs, at)));
    const sent = this.send(sql, at, (request) => {
      const response = this.takeover.expect(request, consumer, {
        onFull: () => {
          isFull = true;
          timer.stop();
          this.wake();
        },
        onFailure: (cause) => this.fail(cause),
        onData: () => timer.restart(),
      });
      resume = () => response.resume();
      this.driver.execSqlBatch(request);
    }).then(
      () => {
        done = true;
      },
      (cause: unknown) => this.fail(cause),
    );
    void sent.finally(() => this.wake());
    try {
      while (!done) {
        const woken = new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        if (isFull) {
          isFull = false;
          // What comes next may be silence.
          timer.restart();
          resume();
        }
        if (!done && !isFull && this.failure === undefined) await woken;
        if (this.failure !== undefined) throw this.explain(this.failure, at);
        if (isFull) yield;
      }
    } finally {
      timer.stop();
      if (!done) this.abort();
    }
  }

  async close(): Promise<void> {
    this.destroy();
  }

  /** Asks the server to stop what it is doing (attention), then ends the connection. */
  abort(): void {
    if (this.ended) return;
    if (!this.busy) {
      this.destroy();
      return;
    }
    this.failure ??= new HuitongError('CANCELLED', 'cancelled while the source was working', { at: this.address });
    this.driver.cancel();
    setTimeout(() => this.destroy(), CANCEL_TIMEOUT_MS).unref();
    this.wake();
  }

  private send(sql: string, at: string, start: (request: Request) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.failure !== undefined || this.ended) {
        reject(this.explain(this.failure, at));
        return;
      }
      this.busy = true;
      const request = new Request(sql, (cause) => {
        this.busy = false;
        // Cancelled: the server has acknowledged, and nobody waits for this connection any more.
        if (this.failure !== undefined) this.destroy();
        if (cause) reject(this.explain(this.failure ?? cause, at));
        else resolve();
      });
      start(request);
    });
  }

  private destroy(): void {
    if (this.ended) return;
    this.ended = true;
    this.signal.removeEventListener('abort', this.onAbort);
    this.driver.close();
    this.wake();
  }

  private fail(cause: unknown): void {
    if (this.ended) return;
    this.failure ??= cause;
    this.abort();
    this.wake();
  }

  private explain(cause: unknown, at: string): HuitongError {
    if (this.signal.aborted) return new HuitongError('CANCELLED', 'cancelled while the source was working', { at });
    return sourceError(cause ?? new HuitongError('SOURCE_UNREACHABLE', 'the connection was closed', { at }), at);
  }
}

function driverOptions(target: ConnectionTarget, label: string): ConnectionConfiguration {
  const { user: userName, password, domain } = target;
  return {
    server: target.server,
    authentication:
      domain === undefined
        ? { type: 'default', options: { userName, password } }
        : { type: 'ntlm', options: { userName, password, domain } },
    options: {
      port: target.port,
      database: target.database,
      encrypt: target.encrypt,
      trustServerCertificate: target.trustServerCertificate,
      ...(target.ca === undefined ? {} : { cryptoCredentialsDetails: { ca: target.ca } }),
      ...(target.serverName === undefined ? {} : { serverName: target.serverName }),
      appName: label.slice(0, APPLICATION_NAME_MAX),
      readOnlyIntent: target.readOnlyIntent,
      connectTimeout: target.connectTimeoutMs,
      requestTimeout: target.statementTimeoutMs,
      cancelTimeout: CANCEL_TIMEOUT_MS,
      packetSize: target.encrypt === false ? PACKET_BYTES : TLS_PACKET_BYTES,
      maxRetriesOnTransientErrors: 0,
      useUTC: true,
    },
  };
}

/**
 * Throws SOURCE_AUTH, SOURCE_UNREACHABLE, SOURCE_TLS, SOURCE_DATABASE_MISSING, CONFIG_INVALID, DRIVER_UNSUITABLE or
 * CANCELLED.
 */
export async function openConnection(config: MssqlConfig, context: ConnectorContext): Promise<Connection> {
  const connection = new Connection(connectionTarget(config), context);
  await connection.open();
  try {
    await assertRowsCanBeTaken(connection);
    return connection;
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}
