/**
 * Reading by an ordered column: how far a state is complete, and the rows between two positions. InnoDB tells readers
 * nothing of transactions that are open, unlike PostgreSQL, so completeness rests on time, or on the list of open
 * transactions. Why: docs/decisions/0156-mysql-cursors.md.
 */
import { randomUUID } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import type { CursorPosition, CursorWindow } from '../connector.ts';
import type { Connection } from './connection.ts';
import { errorNumber } from './errors.ts';
import { quoteName, quoteTable, type Relation, type RelationColumn } from './relation.ts';

const POLL_MS = 150;
/** How long InnoDB keeps its list of transactions, and how often one of now is asked for: for about three seconds. */
const LIST_KEPT_MS = 110;
const LIST_ATTEMPTS_MAX = 20;
/** Errors of a user without the right PROCESS, or of a server without this table. */
const NO_PROCESS_RIGHT = new Set([1227, 1109, 1146, 1142]);

type Kind = 'integer' | 'decimal' | 'date' | 'datetime';

const kinds: Record<string, Kind> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  decimal: 'decimal',
  date: 'date',
  datetime: 'datetime',
  timestamp: 'datetime',
};

/** What a position must look like, as the server writes it; nothing else gets into SQL. */
const forms: Record<Kind, RegExp> = {
  integer: /^-?\d{1,20}$/,
  decimal: /^-?\d{1,65}(\.\d{1,38})?$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  datetime: /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$/,
};

/** The rows of a window as a condition. Positions are the server's own text, compared by the server. */
export function windowCondition(window: CursorWindow, column: RelationColumn, at: string): string {
  const kind = kindOf(column, at);
  const name = quoteName(column.name);
  const upTo = `${name} <= ${literal(window.upTo, kind, at)}`;
  if (window.after === undefined) return column.nullable ? `(${name} is null or ${upTo})` : upTo;
  return `${name} > ${literal(window.after, kind, at)} and ${upTo}`;
}

function kindOf(column: RelationColumn, at: string): Kind {
  const kind = kinds[column.type.name];
  if (kind !== undefined) return kind;
  throw new HuitongError('CONFIG_INVALID', `column ${column.name} (${column.sourceType}) cannot be a cursor`, {
    at,
    hint: 'Take an integer, a decimal, a date or a time that only grows.',
  });
}

function literal(position: CursorPosition, kind: Kind, at: string): string {
  if (!forms[kind].test(position)) {
    throw new HuitongError('CONFIG_INVALID', `a cursor position that is no ${kind}`, {
      at,
      hint: 'Refresh the dataset in full: its cursor has another type now.',
    });
  }
  if (kind === 'integer' || kind === 'decimal') return position;
  return kind === 'date' ? `date'${position}'` : `timestamp'${position}'`;
}

/** How far the table is complete: see `CursorReading`. `renew` begins the state anew. */
export async function cursorBound(
  connection: Connection,
  relation: Relation,
  column: RelationColumn,
  lagSeconds: number,
  renew: () => Promise<void>,
): Promise<CursorPosition | undefined> {
  const at = quoteTable(relation);
  const kind = kindOf(column, at);
  if (kind === 'integer' || kind === 'decimal') {
    return boundOfNumber(connection, at, column.name, lagSeconds, renew);
  }
  const now = await sourceTime(connection, column.type.name === 'timestamp');
  const name = quoteName(column.name);
  const latest = kind === 'date' ? `cast(${literalBefore(now, lagSeconds)} as date)` : literalBefore(now, lagSeconds);
  return greatest(connection, at, `${name} ${kind === 'date' ? '<' : '<='} ${latest}`, name);
}

function literalBefore(now: string, lagSeconds: number): string {
  return `timestamp'${now}' - interval ${Math.ceil(lagSeconds)} second`;
}

/** A timestamp is UTC; what a datetime means only its writers know: the server's own zone is the likeliest. */
async function sourceTime(connection: Connection, isUtc: boolean): Promise<string> {
  const [row] = await connection.query(
    isUtc
      ? 'select cast(utc_timestamp(6) as char) as now'
      : `select cast(coalesce(convert_tz(utc_timestamp(6), '+00:00', @@global.time_zone), utc_timestamp(6)) as char) as now`,
  );
  return String(row?.now);
}

async function greatest(connection: Connection, at: string, where: string, name: string) {
  const [row] = await connection.query(`select cast(max(${name}) as char) as bound from ${at} where ${where}`, [], at);
  return typeof row?.bound === 'string' ? row.bound : undefined;
}

/**
 * Numbers are given out before their transactions commit. Whoever had written when the greatest of them was read must
 * be gone before the state begins: they are waited for, as long as the lag.
 */
async function boundOfNumber(
  connection: Connection,
  at: string,
  column: string,
  lagSeconds: number,
  renew: () => Promise<void>,
): Promise<CursorPosition | undefined> {
  const name = quoteName(column);
  await renew();
  const bound = await greatest(connection, at, `${name} is not null`, name);
  const deadline = Date.now() + lagSeconds * 1000;
  for (let left = await openWriters(connection, at); left.length > 0; ) {
    if (Date.now() >= deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const open = new Set(await openWriters(connection, at));
    left = left.filter((writer) => open.has(writer));
  }
  await renew();
  return bound;
}

/**
 * Transactions that have written or are about to: each by its thread and when it began, since it has no number before it
 * writes. The server shows everybody the same list for 100 ms after anybody's last look, so that a transaction of just
 * now may not be on it: a list is of now where the question itself is on it.
 * @throws HuitongError SOURCE_TIMEOUT where the list stays old, SOURCE_FORBIDDEN
 */
async function openWriters(connection: Connection, at: string): Promise<string[]> {
  for (let attempt = 1; attempt <= LIST_ATTEMPTS_MAX; attempt++) {
    const question = randomUUID();
    const rows = await transactionsOf(connection, at, question);
    if (rows.some(({ asks }) => Number(asks) === 1)) {
      return rows.filter(({ writes }) => Number(writes) === 1).map(({ id }) => String(id));
    }
    // Not at the pace of another who looks at it.
    await new Promise((resolve) => setTimeout(resolve, LIST_KEPT_MS * (1 + Math.random())));
  }
  throw new HuitongError('SOURCE_TIMEOUT', 'the server’s list of open transactions was never of now', {
    at,
    hint: 'See what asks for information_schema.innodb_trx more than ten times a second, or take a column of time as the cursor.',
  });
}

async function transactionsOf(connection: Connection, at: string, question: string) {
  try {
    return await connection.query(
      `select concat(trx_mysql_thread_id, '/', trx_started) as id,
              trx_mysql_thread_id = connection_id() and coalesce(locate('${question}', trx_query), 0) > 0 as asks,
              trx_mysql_thread_id <> connection_id()
                and (trx_rows_modified > 0 or trx_state = 'LOCK WAIT' or trx_query is not null) as writes
         from information_schema.innodb_trx`,
    );
  } catch (cause) {
    const number = errorNumber(cause);
    if (number === undefined || !NO_PROCESS_RIGHT.has(number)) throw cause;
    throw new HuitongError(
      'SOURCE_FORBIDDEN',
      'this user may not see open transactions, which a numeric cursor needs',
      {
        at,
        cause,
        hint: 'GRANT PROCESS ON *.* to the user, or take a column of time as the cursor.',
      },
    );
  }
}
