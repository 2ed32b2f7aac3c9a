import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type {
  ConnectorContext,
  ControlTotals,
  CursorPosition,
  PlanOptions,
  ReadPlan,
  Snapshot,
  SnapshotGuarantee,
  TableRequest,
} from '../connector.ts';
import type { PostgresConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import {
  boundOf,
  type CursorRequest,
  cursorColumn,
  type OpenSessions,
  openSessions,
  windowCondition,
} from './cursor.ts';
import { mappingOfColumn, type PostgresPartition, planTable, resolveTable } from './plan.ts';
import { quoteName, quoteTable, type Relation } from './relation.ts';

/** A transaction that nobody can join reads a table in one piece. */
const whole = { partitions: 1 };

/**
 * One read-only transaction whose snapshot other connections join by `token`; it holds until `close`. Without a token
 * it plans and sums, and whoever reads has a transaction of its own.
 */
export class PostgresSnapshot implements Snapshot {
  readonly guarantee: SnapshotGuarantee;
  readonly openedAt = new Date();
  readonly token: string | undefined;
  private readonly connection: Connection;
  private readonly sessions: OpenSessions | undefined;
  private busy: Promise<unknown> = Promise.resolve();
  private working = 0;

  /** Use `openSnapshot`. */
  constructor(connection: Connection, token: string | undefined, sessions: OpenSessions | undefined) {
    this.connection = connection;
    this.sessions = sessions;
    this.token = token;
    this.guarantee = token === undefined ? 'transaction' : 'snapshot';
  }

  plan(request: TableRequest, options: PlanOptions): Promise<ReadPlan<PostgresPartition>> {
    return this.inOrder(() =>
      planTable(this.connection, request, this.token === undefined ? whole : options, this.token),
    );
  }

  /**
   * Sums of integer, decimal and money columns, each with its column's number of decimals. What the reader calls
   * unrepresentable (NaN; by an override: too many digits) is left out of the sum on both sides.
   */
  controlTotals(request: TableRequest): Promise<ControlTotals> {
    return this.inOrder(async () => {
      const { relation, columns } = await resolveTable(this.connection, request);
      const sums = columns.flatMap((column) => {
        const expression = sumExpression(quoteName(column.name), mappingOfColumn(column));
        return expression === undefined ? [] : [{ name: column.name, expression }];
      });
      const list = ['count(*)::text as n', ...sums.map(({ expression }, i) => `${expression}::text as s${i}`)];
      const table = quoteTable(relation);
      const where = await this.conditionOf(relation, request);
      const [row] = await this.connection.query(`select ${list.join(', ')} from ${table}${where}`, [], table);
      return {
        rows: Number(row?.n),
        sums: Object.fromEntries(sums.map(({ name }, i) => [name, String(row?.[`s${i}`])])),
      };
    });
  }

  /** See `boundOf`. */
  cursorBound(request: TableRequest, cursor: CursorRequest): Promise<CursorPosition | undefined> {
    return this.inOrder(async () => {
      const { relation } = await resolveTable(this.connection, request);
      return boundOf(this.connection, relation, cursor, this.sessions);
    });
  }

  /** Looks into the catalog as it is in the snapshot. */
  inspect<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.inOrder(() => body(this.connection));
  }

  private async conditionOf(relation: Relation, { window }: TableRequest): Promise<string> {
    if (window === undefined) return '';
    const { type } = await cursorColumn(this.connection, relation, window.column);
    return ` where ${windowCondition(window, type)}`;
  }

  async assertAlive(): Promise<void> {
    if (this.connection.isLost)
      throw new HuitongError('SNAPSHOT_LOST', 'the connection that held the snapshot is gone');
    // A statement under way is proof enough, and the next one would wait for it.
    if (this.working > 0) return;
    try {
      await this.inOrder(() => this.connection.query('select 1'));
    } catch (cause) {
      if (isHuitongError(cause, 'CANCELLED')) throw cause;
      throw new HuitongError('SNAPSHOT_LOST', 'the connection that held the snapshot is gone', { cause });
    }
  }

  async close(): Promise<void> {
    if (this.working > 0) this.connection.abort();
    await this.connection.close();
  }

  /** One statement at a time, in a savepoint: a failed one must not take the snapshot with it. */
  private inOrder<T>(body: () => Promise<T>): Promise<T> {
    this.working++;
    const result = this.busy.then(async () => {
      try {
        await this.connection.query('savepoint step');
        const value = await body();
        await this.connection.query('release step');
        return value;
      } catch (cause) {
        if (!this.connection.isLost) await this.connection.query('rollback to step').catch(() => {});
        throw cause;
      } finally {
        this.working--;
      }
    });
    this.busy = result.catch(() => {});
    return result;
  }
}

async function exportSnapshot(connection: Connection): Promise<string> {
  const [row] = await connection.query('select pg_export_snapshot() as token');
  return String(row?.token);
}

/** A snapshot of the state that another connection has exported, and holds until this is done. */
export async function joinSnapshot(
  config: PostgresConfig,
  context: ConnectorContext,
  token: string,
): Promise<PostgresSnapshot> {
  const connection = await openConnection(config, context);
  try {
    await connection.query('begin isolation level repeatable read read only');
    // SET TRANSACTION takes no parameters.
    await connection.query(`set transaction snapshot '${token.replaceAll("'", "''")}'`);
    return new PostgresSnapshot(connection, await exportSnapshot(connection), undefined);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** Throws what `openConnection` throws. */
export async function openSnapshot(config: PostgresConfig, context: ConnectorContext): Promise<PostgresSnapshot> {
  const connection = await openConnection(config, context);
  try {
    // Before the snapshot: what is open in it was open now, or began after now.
    const sessions = await openSessions(connection);
    await connection.query('begin isolation level repeatable read read only');
    const token = config.snapshot === 'transaction' ? undefined : await exportSnapshot(connection);
    return new PostgresSnapshot(connection, token, sessions);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** The exact sum over the cells that Arrow can hold; undefined for columns that have none. */
function sumExpression(column: string, mapping: ReturnType<typeof mappingOfColumn>): string | undefined {
  const { codec, precision = 0, scale = 0 } = mapping;
  switch (codec) {
    case 'int2':
    case 'int4':
    case 'int8':
      return `coalesce(sum(${column}), 0)`;
    case 'oid':
      return `coalesce(sum(${column}::text::numeric), 0)`;
    case 'money':
      return `round(coalesce(sum(${column}::numeric), 0), ${scale})`;
    case 'numeric': {
      // NaN and Infinity are greater than every number; a column of numeric(p,s) has nothing else to leave out.
      const bound = `1e${precision - scale}::numeric`;
      const fits = `${column} < ${bound} and ${column} > -${bound} and ${column} = round(${column}, ${scale})`;
      return `round(coalesce(sum(${column}) filter (where ${fits}), 0), ${scale})`;
    }
    default:
      return undefined;
  }
}
