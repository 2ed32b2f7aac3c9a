/**
 * Up to where a snapshot is complete. A row that is committed late must not lie below a position that was reached
 * before, or nobody would read it again. Three things hold the position back:
 *
 *   rows of young transactions   those no older than the oldest that is still open in this database, which may yet
 *                                commit a lower sequence number (dlt#2269); such rows are left for the next run
 *   transactions that are open   of a time that is taken when a transaction begins, as now() is: the position stays
 *                                below the beginning of the oldest one, whether it has written yet or not
 *   the lag                      for what neither shows: sessions that this user may not see, values that are drawn
 *                                before the insert (cached sequences), clocks of applications
 *
 * The greatest value is asked for in the same snapshot that the rows are read in (airbyte#85918). Positions are
 * PostgreSQL's own text of a value, compared by PostgreSQL.
 */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { CursorPosition, CursorWindow } from '../connector.ts';
import type { Connection } from './connection.ts';
import { quoteName, quoteTable, type Relation } from './relation.ts';

export interface CursorRequest {
  column: string;
  lagSeconds: number;
  after?: CursorPosition;
}

/** What was going on just before a snapshot. Times are PostgreSQL's text. */
export interface OpenSessions {
  /** When the oldest open transaction began, or the time of asking where none was. */
  oldestStart: string;
  /** The oldest transaction of this database that had not ended: its number, without wrapping. */
  fence: string;
  /** Whether there may be transactions that were not shown. */
  hidden: boolean;
}

const MICROSECOND_DIGITS = 6;

/** Types whose order grows with time or number; what they are compared with is a time, or not. */
const CURSOR_TYPES: Record<string, { isTime: boolean }> = {
  timestamptz: { isTime: true },
  timestamp: { isTime: true },
  date: { isTime: true },
  int2: { isTime: false },
  int4: { isTime: false },
  int8: { isTime: false },
  numeric: { isTime: false },
};

/**
 * What writes no rows does not count: vacuum, and our own readers, whose transactions are read-only. Without the right
 * to see other sessions, their transactions' beginnings are null; a standby does not know them.
 */
export async function openSessions(connection: Connection): Promise<OpenSessions | undefined> {
  try {
    const [row] = await connection.query(SESSIONS);
    return { oldestStart: String(row?.oldest), fence: String(row?.fence), hidden: row?.hidden === true };
  } catch (e) {
    if (connection.isLost || isHuitongError(e, 'CANCELLED')) throw e;
    // An older server, or one that only speaks the protocol: snapshots are none the worse for it.
    return undefined;
  }
}

const SESSIONS = `
  with now as materialized (select pg_current_snapshot() as snapshot),
  running as (
    select xid::text::numeric as xid from now, pg_snapshot_xip(snapshot) as xid
     where not exists (select from pg_stat_activity
            where datname <> current_database() and backend_xid::text::numeric = xid::text::numeric % 4294967296)
       and not exists (select from pg_prepared_xacts
            where database <> current_database() and transaction::text::numeric = xid::text::numeric % 4294967296))
  select (select least(pg_snapshot_xmax(snapshot)::text::numeric, (select min(xid) from running))
            from now)::text as fence,
         least(clock_timestamp(), min(xact_start),
               (select min(prepared) from pg_prepared_xacts where database = current_database()))::text as oldest,
         pg_is_in_recovery() or coalesce(bool_or(backend_type is null and usesysid is not null), false) as hidden
    from pg_stat_activity
   where pid <> pg_backend_pid() and datname = current_database()
     and backend_type is distinct from 'autovacuum worker' and application_name not like 'huitong/%'`;

/** `fraction`: seconds to which a time is rounded when it is stored. Throws COLUMN_NOT_FOUND, and CURSOR_UNSAFE for a type whose values do not only grow. */
export async function cursorColumn(
  connection: Connection,
  relation: Relation,
  name: string,
): Promise<{ type: string; isTime: boolean; fraction: number }> {
  const at = quoteTable(relation);
  const [row] = await connection.query(
    `select coalesce(base.typname, own.typname) as type, greatest(a.atttypmod, own.typtypmod) as modifier
       from pg_attribute a join pg_type own on own.oid = a.atttypid
       left join pg_type base on base.oid = own.typbasetype and own.typtype = 'd'
      where a.attrelid = $1::oid and a.attname = $2 and a.attnum > 0 and not a.attisdropped`,
    [relation.oid, name],
    at,
  );
  if (!row) throw new HuitongError('COLUMN_NOT_FOUND', `the table has no cursor column ${name}`, { at });
  const type = String(row.type);
  const known = CURSOR_TYPES[type];
  if (known === undefined) {
    throw new HuitongError('CURSOR_UNSAFE', `column ${name} is of type ${type}; a cursor is a time or a number`, {
      at,
    });
  }
  const digits = known.isTime && Number(row.modifier) >= 0 ? Number(row.modifier) : MICROSECOND_DIGITS;
  return { type, ...known, fraction: 10 ** -digits };
}

/** Rows behind `after` and up to `upTo`; without `after` also those whose column is null. */
export function windowCondition({ column, after, upTo }: CursorWindow, type: string): string {
  const name = quoteName(column);
  const upper = `${name} <= ${literal(upTo, type)}`;
  return after === undefined ? `(${upper} or ${name} is null)` : `(${name} > ${literal(after, type)} and ${upper})`;
}

/** See the top of this file. Throws CURSOR_UNSAFE where only a lag would help, and there is none. */
export async function boundOf(
  connection: Connection,
  relation: Relation,
  { column, lagSeconds, after }: CursorRequest,
  sessions: OpenSessions | undefined,
): Promise<CursorPosition | undefined> {
  const at = quoteTable(relation);
  if (sessions === undefined) {
    throw new HuitongError('CURSOR_UNSAFE', 'this server does not tell which transactions are open', { at });
  }
  const { type, isTime, fraction } = await cursorColumn(connection, relation, column);
  const name = quoteName(column);
  const rowsAreDated = relation.kind === 'table' || relation.kind === 'partitioned';
  assertSafe(at, { lagSeconds, isTime, rowsAreDated, hidden: sessions.hidden });
  const bounds = after === undefined ? [`${name} is not null`] : [`${name} > ${literal(after, type)}`];
  if (rowsAreDated) {
    const young = `select min(${name})::text as least from ${at} where ${[...bounds, youngCondition(sessions.fence)].join(' and ')}`;
    const [row] = await connection.query(young, [], at);
    if (typeof row?.least === 'string') bounds.push(`${name} < ${literal(row.least, type)}`);
  }
  if (isTime) bounds.push(settledCondition(name, type, fraction, lagSeconds, sessions.oldestStart));
  const [row] = await connection.query(
    `select max(${name})::text as bound from ${at} where ${bounds.join(' and ')}`,
    [],
    at,
  );
  return typeof row?.bound === 'string' ? row.bound : undefined;
}

/** A naive time and a date are the server's own; of a day that is not over, rows may still come. */
function settledCondition(name: string, type: string, fraction: number, lagSeconds: number, oldest: string): string {
  const began = `${literal(oldest, 'timestamptz')} - make_interval(secs => ${fraction})`;
  const settled = `least(${began}, transaction_timestamp() - make_interval(secs => ${lagSeconds}))`;
  if (type === 'timestamptz') return `${name} <= ${settled}`;
  const zone = `(select reset_val from pg_settings where name = 'TimeZone')`;
  return `${name} ${type === 'date' ? '<' : '<='} (${settled} at time zone ${zone})::${type}`;
}

/**
 * Written by a transaction that is not older than the fence. `age` counts transactions back from now, modulo 2^32; what
 * is older than half of them is negative or frozen.
 */
function youngCondition(fence: string): string {
  return `age(xmin) between 0 and age((${fence}::numeric % 4294967296)::text::xid)`;
}

function assertSafe(
  at: string,
  known: { lagSeconds: number; isTime: boolean; rowsAreDated: boolean; hidden: boolean },
): void {
  if (known.isTime && known.lagSeconds > 0) return;
  const why = [
    ...(known.rowsAreDated ? [] : ['a view’s rows do not say which transaction wrote them']),
    ...(known.isTime && known.hidden ? ['this user does not see when other sessions’ transactions began'] : []),
  ];
  if (why.length > 0) throw new HuitongError('CURSOR_UNSAFE', why.join('; '), { at });
}

function literal(text: string, type: string): string {
  return `'${text.replaceAll("'", "''")}'::pg_catalog.${type}`;
}
