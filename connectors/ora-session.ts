/**
 * What Oracle's and Dameng's npm drivers have in common: Dameng's follows Oracle's, call by call. Neither is a dependency
 * of ours (docs/reference/oracle-and-dameng.md); they are loaded when a source of their kind is first opened.
 */
import { HuitongError, isHuitongError } from '../lib/errors.ts';
import type { ConnectorContext } from './connector.ts';

/** A driver's connection, as much of it as is used. */
export interface DriverConnection {
  execute(sql: string, binds: unknown[], options: Record<string, unknown>): Promise<DriverResult>;
  close(): Promise<void>;
  /** Ends the statement under way. */
  break?(): Promise<void>;
}

export interface DriverResult {
  rows?: unknown[][];
  resultSet?: { getRows(rows: number): Promise<unknown[][]>; close(): Promise<void> };
}

export interface OraTarget {
  /** For messages: host, port and service. */
  place: string;
  connect(context: ConnectorContext): Promise<DriverConnection>;
  /** What a failure of the driver stands for. */
  errorOf(cause: unknown, at: string): HuitongError;
  /** Options of every SELECT: which columns come as text and which as bytes. */
  fetchOptions: Record<string, unknown>;
}

const FETCH_ROWS = 1_000;

/** Throws DRIVER_MISSING. */
export async function loadDriver(packageName: string, install: string): Promise<unknown> {
  try {
    const loaded = (await import(packageName)) as { default?: unknown };
    return loaded.default ?? loaded;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && /MODULE_NOT_FOUND/.test(String(cause.code)))) throw cause;
    throw new HuitongError('DRIVER_MISSING', `the npm package ${packageName} is not installed: ${install}`, { cause });
  }
}

/** One connection. It ends when `signal` does. */
export class OraSession {
  private readonly connection: DriverConnection;
  private readonly target: OraTarget;
  private readonly signal: AbortSignal;
  private readonly stop = () => void this.abort();
  private closed = false;

  private constructor(connection: DriverConnection, target: OraTarget, signal: AbortSignal) {
    this.connection = connection;
    this.target = target;
    this.signal = signal;
    signal.addEventListener('abort', this.stop, { once: true });
  }

  /** Throws DRIVER_MISSING, SOURCE_AUTH, SOURCE_UNREACHABLE, SOURCE_DATABASE_MISSING, CANCELLED. */
  static async open(target: OraTarget, context: ConnectorContext): Promise<OraSession> {
    if (context.signal.aborted) throw cancelled(target.place);
    try {
      const session = new OraSession(await target.connect(context), target, context.signal);
      if (!context.signal.aborted) return session;
      await session.close();
      throw cancelled(target.place);
    } catch (cause) {
      throw isHuitongError(cause) ? cause : target.errorOf(cause, target.place);
    }
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Rows of a small result. */
  async query(sql: string, binds: unknown[] = [], at = this.target.place): Promise<unknown[][]> {
    try {
      const { rows = [] } = await this.connection.execute(sql, binds, { ...this.target.fetchOptions, maxRows: 0 });
      return rows;
    } catch (cause) {
      throw this.failure(cause, at);
    }
  }

  /** Rows of any result, some at a time. */
  async *stream(sql: string, at: string): AsyncGenerator<unknown[]> {
    let resultSet: DriverResult['resultSet'];
    try {
      const options = {
        ...this.target.fetchOptions,
        resultSet: true,
        fetchArraySize: FETCH_ROWS,
        prefetchRows: FETCH_ROWS,
      };
      ({ resultSet } = await this.connection.execute(sql, [], options));
      for (;;) {
        const rows = (await resultSet?.getRows(FETCH_ROWS)) ?? [];
        if (rows.length === 0) return;
        yield* rows;
      }
    } catch (cause) {
      throw this.failure(cause, at);
    } finally {
      // A connection that broke off has no result set to close.
      await resultSet?.close().catch(() => {});
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.signal.removeEventListener('abort', this.stop);
    await this.connection.close().catch(() => {});
  }

  private async abort(): Promise<void> {
    await this.connection.break?.().catch(() => {});
    await this.close();
  }

  private failure(cause: unknown, at: string): HuitongError {
    if (this.signal.aborted) return cancelled(at);
    return isHuitongError(cause) ? cause : this.target.errorOf(cause, at);
  }
}

function cancelled(at: string): HuitongError {
  return new HuitongError('CANCELLED', 'the work in the source was cancelled', { at });
}
