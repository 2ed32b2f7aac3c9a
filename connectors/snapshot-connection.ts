/** For snapshots that are one connection's: one statement at a time, and what it means that it is gone. */
import { HuitongError, isHuitongError } from '../lib/errors.ts';

interface HoldingConnection {
  readonly isLost: boolean;
  query(sql: string): Promise<unknown>;
  /** Stops what it is doing and ends it. */
  abort(): void;
  close(): Promise<void>;
}

export class SnapshotConnection<Connection extends HoldingConnection> {
  protected readonly connection: Connection;
  private busy: Promise<unknown> = Promise.resolve();
  private working = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** @throws HuitongError SNAPSHOT_LOST, CANCELLED */
  async assertAlive(): Promise<void> {
    if (this.connection.isLost) throw lost();
    // A statement under way is proof enough, and the next one would wait for it.
    if (this.working > 0) return;
    try {
      await this.inOrder(() => this.connection.query('select 1 as alive'));
    } catch (cause) {
      throw isHuitongError(cause, 'CANCELLED') ? cause : lost(cause);
    }
  }

  async close(): Promise<void> {
    if (this.working > 0) this.connection.abort();
    await this.connection.close();
  }

  /** One statement at a time: a connection has no more. */
  protected inOrder<T>(body: () => Promise<T>): Promise<T> {
    this.working++;
    const result = this.busy.then(body).finally(() => {
      this.working--;
    });
    this.busy = result.catch(() => {});
    return result;
  }
}

function lost(cause?: unknown): HuitongError {
  return new HuitongError('SNAPSHOT_LOST', 'the connection that held the snapshot is gone', { cause });
}
