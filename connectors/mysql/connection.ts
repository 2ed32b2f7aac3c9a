/** One connection: mysql2 logs in and runs queries; the rows of a table go to a `RowDecoder`. */
import { connect } from 'node:net';
import { type ConnectionOptions, createConnection, type Connection as Driver, type QueryError } from 'mysql2';
import { HuitongError } from '../../lib/errors.ts';
import type { ConnectorContext } from '../connector.ts';
import { IdleTimer, idleError } from '../idle-timer.ts';
import { type ConnectionTarget, connectionTarget, type MysqlConfig } from './config.ts';
import { sourceError } from './errors.ts';
import { type FieldDefinition, type WireColumn, wireColumn } from './packets.ts';
import type { ResultReader } from './result-reader.ts';
import { assertRowsCanBeTaken } from './self-test.ts';
import { beginSession, type Server } from './session.ts';
import { connectSocket, Result } from './takeover.ts';

/** How long a connection that only says KILL may take. */
const KILL_TIMEOUT_MS = 5_000;

export type Row = Record<string, unknown>;

interface Statement {
  id: number;
  columns: FieldDefinition[];
}

export class Connection {
  readonly target: ConnectionTarget;
  private readonly driver: Driver;
  private readonly signal: AbortSignal;
  private readonly label: string;
  private readonly onAbort = () => this.abort();
  private told: Server | undefined;
  private failure: unknown;
  private ended = false;
  private working = 0;
  private wake: () => void = () => {};

  /** Use `openConnection`. */
  constructor(target: ConnectionTarget, context: ConnectorContext) {
    this.target = target;
    this.signal = context.signal;
    this.label = context.label.replaceAll('*/', '* /');
    this.driver = createConnection(driverOptions(target, context.label));
    // Without a listener a connection that breaks would end the process.
    this.driver.on('error', (cause) => this.fail(cause));
  }

  get server(): Server {
    if (this.told === undefined) throw new Error('the connection is not open');
    return this.told;
  }

  /** Whether the connection has failed or was closed. */
  get isLost(): boolean {
    return this.ended || this.failure !== undefined;
  }

  get address(): string {
    return `${this.target.host}:${this.target.port}/${this.target.database}`;
  }

  async open(): Promise<void> {
    this.signal.addEventListener('abort', this.onAbort, { once: true });
    try {
      if (this.signal.aborted) throw new HuitongError('CANCELLED', 'cancelled before connecting');
      await new Promise<void>((resolve, reject) => {
        this.wake = () => reject(this.failure);
        this.driver.connect((cause) => (cause === null ? resolve() : reject(cause)));
      });
      this.told = await beginSession(this);
    } catch (cause) {
      this.destroy();
      throw this.explain(cause, this.address);
    }
  }

  /** Rows as objects: for catalogs and totals, never for a table's rows. `values` stand for `?`. */
  query(sql: string, values: string[] = [], at = this.address): Promise<Row[]> {
    return this.ask<Row[]>(at, (done) =>
      this.driver.query(this.labelled(sql), values, (cause, rows) =>
        // A statement without a result has a header in place of rows.
        done(cause, Array.isArray(rows) ? (rows as Row[]) : []),
      ),
    );
  }

  /** What the columns of a query are on the wire; also proves the right to run it. */
  async describe(sql: string, at: string): Promise<WireColumn[]> {
    const { columns } = await this.prepare(sql, at);
    return columns.map(wireColumn);
  }

  /** Runs a query whose rows go to `reader`; for few rows, which must fit into it. */
  async queryInto(sql: string, reader: ResultReader, at = this.address): Promise<void> {
    for await (const _ of this.stream(sql, reader, at)) {
      throw new HuitongError('INTERNAL', 'a query that should give few rows gave many', { at });
    }
  }

  /**
   * Runs a query whose rows go to `reader`. Yields each time the reader is full, and goes on when the caller asks for
   * more; returns when every row was taken. A caller that stops half-way ends the connection.
   */
  async *stream(sql: string, reader: ResultReader, at: string): AsyncGenerator<void> {
    const { id } = await this.prepare(sql, at);
    let done = false;
    let isFull = false;
    const timer = new IdleTimer(this.target.idleTimeoutMs, () => this.fail(idleError(this.target.idleTimeoutMs, at)));
    this.working++;
    const result = new Result(this.driver, id, reader, {
      onFull: () => {
        isFull = true;
        timer.stop();
        this.wake();
      },
      onEnd: (cause) => {
        if (cause === undefined) done = true;
        else this.failure ??= cause;
        this.wake();
      },
      onFailure: (cause) => this.fail(cause),
      onData: () => timer.restart(),
    });
    try {
      while (!done) {
        const woken = new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        if (isFull) {
          isFull = false;
          // What comes next may be silence.
          timer.restart();
          result.resume();
        }
        if (!done && !isFull && this.failure === undefined) await woken;
        if (this.failure !== undefined) throw this.explain(this.failure, at);
        if (isFull) yield;
      }
    } finally {
      timer.stop();
      if (!done) this.abort();
      this.working--;
    }
  }

  async close(): Promise<void> {
    this.destroy();
  }

  /** Ends the connection at once; what it was doing is killed, which a server that computes would not notice else. */
  abort(): void {
    const { threadId } = this.driver;
    const mustKill = this.working > 0 && !this.ended && typeof threadId === 'number';
    this.failure ??= new HuitongError('CANCELLED', 'cancelled while the source was working', { at: this.address });
    this.destroy();
    if (mustKill) kill(this.target, threadId);
  }

  private prepare(sql: string, at: string): Promise<Statement> {
    return this.ask<Statement>(at, (done) =>
      // The types say less than there is (lib/commands/prepare.js).
      this.driver.prepare(this.labelled(sql), (cause, statement) => done(cause, statement as unknown as Statement)),
    );
  }

  private ask<T>(at: string, start: (done: (cause: QueryError | null, value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.isLost) {
        reject(this.explain(this.failure, at));
        return;
      }
      this.working++;
      this.wake = () => {
        if (this.isLost) reject(this.explain(this.failure, at));
      };
      start((cause, value) => {
        this.working--;
        if (cause) reject(this.explain(this.failure ?? cause, at));
        else resolve(value);
      });
    });
  }

  /** A DBA sees who it is in SHOW PROCESSLIST. */
  private labelled(sql: string): string {
    return `/* ${this.label} */ ${sql}`;
  }

  private destroy(): void {
    if (this.ended) return;
    this.ended = true;
    this.signal.removeEventListener('abort', this.onAbort);
    this.driver.destroy();
    this.wake();
  }

  private fail(cause: unknown): void {
    if (this.ended) return;
    this.failure ??= cause;
    this.abort();
  }

  private explain(cause: unknown, at: string): HuitongError {
    if (this.signal.aborted) return new HuitongError('CANCELLED', 'cancelled while the source was working', { at });
    return sourceError(cause ?? new HuitongError('SOURCE_UNREACHABLE', 'the connection was closed', { at }), at);
  }
}

function driverOptions(target: ConnectionTarget, label: string): ConnectionOptions {
  const { host, port, tls } = target;
  return {
    // TLS reads below the socket, past its buffer.
    stream: () =>
      tls === undefined ? connectSocket({ host, port }) : connect({ host, port, noDelay: true, keepAlive: true }),
    // Only the name to look for in the certificate: `stream` has connected.
    host: tls?.serverName ?? host,
    user: target.user,
    password: target.password,
    database: target.database,
    charset: 'utf8mb4',
    connectTimeout: target.connectTimeoutMs,
    connectAttributes: { program_name: label },
    // A server must not be able to ask for this machine's files.
    flags: ['-LOCAL_FILES'],
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: tls.verify,
            verifyIdentity: tls.verify,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }),
  };
}

/** Best effort, on a connection of its own: users may kill what is theirs. */
function kill(target: ConnectionTarget, thread: number): void {
  const driver = createConnection(driverOptions(target, 'huitong/kill'));
  const timer = setTimeout(() => driver.destroy(), KILL_TIMEOUT_MS);
  const end = () => {
    clearTimeout(timer);
    driver.destroy();
  };
  driver.on('error', end);
  driver.query(`kill ${thread}`, end);
}

/** Throws SOURCE_AUTH, SOURCE_UNREACHABLE, SOURCE_TLS, SOURCE_DATABASE_MISSING, CONFIG_INVALID, DRIVER_UNSUITABLE or CANCELLED. */
export async function openConnection(config: MysqlConfig, context: ConnectorContext): Promise<Connection> {
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
