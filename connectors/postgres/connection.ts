/** One connection: `pg` logs in and runs queries, `Wire` takes the rows of a COPY off its socket. */
import { type ConnectOpts, connect as connectSocket, Socket, type SocketConstructorOpts } from 'node:net';
import pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import type { ConnectorContext } from '../connector.ts';
import { type ConnectionTarget, connectionTarget, type PostgresConfig } from './config.ts';
import { sourceError } from './errors.ts';
import { type CopyConsumer, Wire } from './wire.ts';

/** CancelRequest's code (PostgreSQL documentation, "Message Formats"). */
const CANCEL_CODE = 80_877_102;
const CANCEL_TIMEOUT_MS = 5_000;
const APPLICATION_NAME_MAX = 63;

/** So that text forms do not depend on the role's settings; times in text are UTC. */
const sessionSettings = `
  set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set bytea_output = 'hex';
  set extra_float_digits = 1; set synchronize_seqscans = off; set idle_in_transaction_session_timeout = 0;
  set lock_timeout = '30s';`;

export type Row = Record<string, unknown>;

/** `replication`: takes the replication commands too, and no queries with parameters (53.4, "Streaming Replication Protocol"). */
export type ConnectionPurpose = 'queries' | 'replication';
/** A parameter of the start-up message that `pg` passes on, and its type does not name. */
const REPLICATION: object = { replication: 'database' };

export class Connection {
  readonly target: ConnectionTarget;
  private readonly client: pg.Client;
  private readonly wire: Wire;
  private readonly signal: AbortSignal;
  private readonly onAbort = () => this.abort();
  private backend: { pid: number; secret: number } | undefined;
  private failure: unknown;
  private wake: () => void = () => {};
  private ended = false;

  /** Use `openConnection`. */
  constructor(target: ConnectionTarget, context: ConnectorContext, purpose: ConnectionPurpose) {
    this.target = target;
    this.signal = context.signal;
    this.wire = new Wire(
      () => this.wake(),
      (cause) => this.fail(cause),
    );
    this.client = new pg.Client({
      host: target.host,
      port: target.port,
      database: target.database,
      user: target.user,
      // A function, because an empty string would make `pg` look into the environment and ~/.pgpass.
      password: () => target.password,
      ssl: target.ssl,
      application_name: context.label.slice(0, APPLICATION_NAME_MAX),
      client_encoding: 'UTF8',
      connectionTimeoutMillis: target.connectTimeoutMs,
      keepAlive: true,
      stream: () => this.makeSocket(),
      ...(purpose === 'replication' && REPLICATION),
    });
    this.client.on('error', (cause) => this.fail(cause));
    this.client.connection.on('backendKeyData', (message: { processID: number; secretKey: number }) => {
      this.backend = { pid: message.processID, secret: message.secretKey };
    });
    this.client.connection.once('sslconnect', () => this.wire.attachTls(this.client.connection.stream));
  }

  /** Whether the connection has failed or was closed. */
  get isLost(): boolean {
    return this.ended || this.failure !== undefined;
  }

  async open(): Promise<void> {
    this.signal.addEventListener('abort', this.onAbort, { once: true });
    try {
      if (this.signal.aborted) throw new HuitongError('CANCELLED', 'cancelled before connecting');
      await this.client.connect();
      await this.client.query(`${sessionSettings} set statement_timeout = ${this.target.statementTimeoutMs}`);
    } catch (cause) {
      this.destroy();
      throw this.explain(cause, this.address);
    }
  }

  /** Rows as objects: for catalogs and totals, never for a table's rows. */
  async query(sql: string, values: unknown[] = [], at = this.address): Promise<Row[]> {
    return (await this.describe(sql, values, at)).rows;
  }

  /** Rows with the result's fields. */
  async describe(sql: string, values: unknown[] = [], at = this.address): Promise<pg.QueryResult<Row>> {
    if (this.failure !== undefined) throw this.explain(this.failure, at);
    try {
      return await this.client.query<Row>(sql, values);
    } catch (cause) {
      throw this.explain(cause, at);
    }
  }

  /**
   * Runs a COPY … TO STDOUT whose rows go to `consumer`. Yields each time the consumer is full, and goes on when the
   * caller asks for more; returns when every row was taken.
   */
  async *copyOut(sql: string, consumer: CopyConsumer, at: string): AsyncGenerator<void> {
    let done = false;
    this.wire.startCopy(consumer);
    const copying = this.client.query(sql).then(
      () => {
        done = true;
      },
      (cause) => this.fail(cause),
    );
    void copying.finally(() => this.wake());
    try {
      for (let first = true; !done; first = false) {
        const woken = new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        if (!first) this.wire.resume();
        if (!done && this.failure === undefined) await woken;
        if (this.failure !== undefined) throw this.explain(this.failure, at);
        if (!done) yield;
      }
      this.wire.endCopy();
    } finally {
      // The caller stopped half-way: the server must not go on.
      if (!done) this.abort();
    }
  }

  async close(): Promise<void> {
    if (!this.isLost) await this.client.end().catch(() => {});
    this.destroy();
  }

  /** Ends the connection at once, and asks the server to stop what it is doing. */
  abort(): void {
    const { backend, ended } = this;
    this.destroy();
    if (backend && !ended) requestCancel(this.target, backend);
  }

  private destroy(): void {
    this.ended = true;
    this.signal.removeEventListener('abort', this.onAbort);
    this.client.connection.stream.destroy();
    this.wake();
  }

  private fail(cause: unknown): void {
    this.failure ??= cause;
    this.wake();
    this.client.connection.stream.destroy();
  }

  private explain(cause: unknown, at: string): HuitongError {
    if (this.signal.aborted) return new HuitongError('CANCELLED', 'cancelled while the source was working', { at });
    return sourceError(cause, at);
  }

  private get address(): string {
    return `${this.target.host}:${this.target.port}/${this.target.database}`;
  }

  private makeSocket(): Socket {
    // With TLS the first bytes are no message, and this socket only carries records: `attachTls` follows.
    if (this.target.ssl !== false) return new Socket();
    // The constructor takes `onread` too (lib/net.js), which its type does not say.
    const options: SocketConstructorOpts & ConnectOpts = { onread: this.wire.onread(() => socket) };
    const socket: Socket = new Socket(options);
    this.wire.attachSocket(socket);
    return socket;
  }
}

/** Throws SOURCE_AUTH, SOURCE_UNREACHABLE, SOURCE_TLS, SOURCE_DATABASE_MISSING, CONFIG_INVALID or CANCELLED. */
export async function openConnection(
  config: PostgresConfig,
  context: ConnectorContext,
  purpose: ConnectionPurpose = 'queries',
): Promise<Connection> {
  const connection = new Connection(connectionTarget(config), context, purpose);
  await connection.open();
  return connection;
}

/** Best effort: without it a backend that is sorting, say, would notice only when it next writes. */
function requestCancel(target: ConnectionTarget, backend: { pid: number; secret: number }): void {
  const message = Buffer.alloc(16);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(CANCEL_CODE, 4);
  message.writeInt32BE(backend.pid, 8);
  message.writeInt32BE(backend.secret, 12);
  const socket = connectSocket(target.port, target.host, () => socket.end(message));
  socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.resume();
}
