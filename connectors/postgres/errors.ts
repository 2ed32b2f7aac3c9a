/** From what the driver and the server report to our codes. A server's message may quote a cell: it stays a cause. */
import pg from 'pg';
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';

interface Meaning {
  code: ErrorCode;
  message: string;
}

/** SQLSTATE (PostgreSQL documentation, appendix "Error Codes"): whole codes first, then classes of two letters. */
const bySqlState: Record<string, Meaning> = {
  '08': { code: 'SOURCE_UNREACHABLE', message: 'the connection to the source broke' },
  '25P02': { code: 'SNAPSHOT_LOST', message: 'the transaction that held the snapshot has failed' },
  '25P03': { code: 'SNAPSHOT_LOST', message: 'the source ended the idle transaction that held the snapshot' },
  '25P04': { code: 'SNAPSHOT_LOST', message: 'the source ended the long transaction that held the snapshot' },
  '28': { code: 'SOURCE_AUTH', message: 'the source refused the login' },
  '3D000': { code: 'SOURCE_DATABASE_MISSING', message: 'the source has no database of this name' },
  '40001': { code: 'SNAPSHOT_LOST', message: 'the source cancelled the read to go on with replication' },
  '42703': { code: 'COLUMN_NOT_FOUND', message: 'the table has no column of this name' },
  '42501': { code: 'SOURCE_FORBIDDEN', message: 'this user may not read the table' },
  '53300': { code: 'SOURCE_UNREACHABLE', message: 'the source has no connection to spare' },
  '57014': { code: 'SOURCE_TIMEOUT', message: 'the source cancelled the statement' },
  '55006': { code: 'SOURCE_TIMEOUT', message: 'another connection still holds it' },
  '55P03': { code: 'SOURCE_TIMEOUT', message: 'the table stays locked by somebody else' },
  '57P': { code: 'SOURCE_UNREACHABLE', message: 'the source is shutting down or starting up' },
  '3F000': { code: 'TABLE_NOT_FOUND', message: 'the source has no schema of this name' },
  '42P01': { code: 'TABLE_NOT_FOUND', message: 'the source has no table of this name' },
};

const unreachable = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** `at` names the table or the address; it must not hold a secret. */
export function sourceError(cause: unknown, at: string): HuitongError {
  if (cause instanceof HuitongError) return cause;
  if (cause instanceof pg.DatabaseError) return databaseError(cause, at);
  if (!(cause instanceof Error)) return new HuitongError('SOURCE_FAILED', 'the source failed', { at, cause });
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (
    unreachable.has(code) ||
    cause instanceof AggregateError ||
    /timeout|terminated|not queryable/i.test(cause.message)
  ) {
    return new HuitongError('SOURCE_UNREACHABLE', `the source cannot be reached${code && ` (${code})`}`, { at, cause });
  }
  if (/SASL|SCRAM|password/i.test(cause.message)) {
    return new HuitongError('SOURCE_AUTH', 'the source asks for a password, and none is set', { at, cause });
  }
  if (/SSL|TLS|CERT|SELF_SIGNED|ISSUER/i.test(`${code} ${cause.message}`)) {
    return new HuitongError('SOURCE_TLS', `no trusted TLS connection to the source${code && ` (${code})`}`, {
      at,
      cause,
    });
  }
  return new HuitongError('SOURCE_FAILED', 'the source failed', { at, cause });
}

function databaseError(cause: pg.DatabaseError, at: string): HuitongError {
  const state = cause.code ?? '';
  if (isSnapshotGone(state, cause.message)) {
    return new HuitongError('SNAPSHOT_LOST', 'the source no longer has the snapshot', { at, cause });
  }
  const meaning = bySqlState[state] ?? bySqlState[state.slice(0, 3)] ?? bySqlState[state.slice(0, 2)];
  if (meaning) return new HuitongError(meaning.code, `${meaning.message} (SQLSTATE ${state})`, { at, cause });
  return new HuitongError('SOURCE_FAILED', `the source failed with SQLSTATE ${state}`, { at, cause });
}

/** 22023 "invalid snapshot identifier", 42704 "snapshot does not exist", 55000 "could not import the requested snapshot". */
function isSnapshotGone(state: string, message: string): boolean {
  return ['22023', '42704', '55000'].includes(state) && /snapshot/i.test(message);
}
