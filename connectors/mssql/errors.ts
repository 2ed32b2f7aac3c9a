/** From what the driver and the server report to our codes. A server's message may quote a cell: it stays a cause. */
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';

interface Meaning {
  code: ErrorCode;
  message: string;
}

const noLogin: Meaning = { code: 'SOURCE_AUTH', message: 'the source refused the login' };
const noRight: Meaning = { code: 'SOURCE_FORBIDDEN', message: 'this user may not read the table' };
const noDatabase: Meaning = {
  code: 'SOURCE_DATABASE_MISSING',
  message: 'the source has no database of this name for this user',
};
const broken: Meaning = { code: 'SOURCE_UNREACHABLE', message: 'the source ended the connection or is not ready' };
const tooSlow: Meaning = {
  code: 'SOURCE_TIMEOUT',
  message: 'the table stays locked, or the source has no memory to spare',
};
const lost: Meaning = { code: 'SNAPSHOT_LOST', message: 'the source no longer has the snapshot' };

/** sys.messages of SQL Server, by number ("Database Engine events and errors"). */
const byNumber: Record<number, Meaning> = {
  207: { code: 'COLUMN_NOT_FOUND', message: 'the table has no column of this name' },
  208: { code: 'TABLE_NOT_FOUND', message: 'the source has no table of this name' },
  229: noRight,
  230: noRight,
  596: broken,
  911: noDatabase,
  916: noDatabase,
  1204: tooSlow,
  1205: { code: 'SOURCE_FAILED', message: 'the source chose this read as a deadlock’s victim' },
  1222: tooSlow,
  3952: lost,
  3957: lost,
  3958: lost,
  3959: lost,
  3960: lost,
  3961: { code: 'SCHEMA_DRIFT', message: 'the table’s definition changed while the snapshot was held' },
  3966: lost,
  4060: noDatabase,
  6005: broken,
  8645: tooSlow,
  18452: noLogin,
  18456: noLogin,
  18470: noLogin,
  18486: noLogin,
  18487: noLogin,
  18488: noLogin,
  40197: broken,
  40501: broken,
  40613: broken,
};

const certificate = /certificate|self.signed|altname|unable to (get|verify)|ERR_TLS|ssl|EENCRYPT|tls/i;

/** `at` names the table or the address; it must not hold a secret. */
export function sourceError(cause: unknown, at: string): HuitongError {
  if (cause instanceof HuitongError) return cause;
  // tedious gathers several messages of one response: the first is what went wrong, the rest follow from it.
  if (cause instanceof AggregateError && cause.errors.length > 0) return sourceError(cause.errors[0], at);
  if (!(cause instanceof Error)) return new HuitongError('SOURCE_FAILED', 'the source failed', { at, cause });
  const number = 'number' in cause && typeof cause.number === 'number' ? cause.number : undefined;
  const meaning = number === undefined ? undefined : byNumber[number];
  if (meaning) return new HuitongError(meaning.code, `${meaning.message} (error ${number})`, { at, cause });
  if (number !== undefined)
    return new HuitongError('SOURCE_FAILED', `the source failed with error ${number}`, { at, cause });
  return driverError(cause, at);
}

/** A login that the server refused with these error numbers: the most telling one counts. Undefined: it did not. */
export function loginError(numbers: number[], at: string, cause: unknown): HuitongError | undefined {
  const meanings = numbers.flatMap((number) => byNumber[number] ?? []);
  // A missing database comes with "login failed" behind it.
  const meaning = meanings.find(({ code }) => code !== 'SOURCE_AUTH') ?? meanings[0];
  return meaning && new HuitongError(meaning.code, `${meaning.message} (error ${numbers.join(', ')})`, { at, cause });
}

/** tedious' own codes; what it wraps is in `cause`. */
function driverError(cause: Error, at: string): HuitongError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const inner = cause.cause instanceof Error ? `${cause.cause.message} ${codeOf(cause.cause)}` : '';
  const fail = (kind: ErrorCode, message: string) =>
    new HuitongError(kind, code === '' ? message : `${message} (${code})`, { at, cause });
  if (certificate.test(`${code} ${cause.message} ${inner}`))
    return fail('SOURCE_TLS', 'no trusted TLS connection to the source');
  switch (code) {
    case 'ELOGIN':
      return fail('SOURCE_AUTH', 'the source refused the login');
    case 'ETIMEOUT':
      // Of a connection: ConnectionError. Of a statement: RequestError.
      return cause.name === 'RequestError' || cause.constructor.name === 'RequestError'
        ? fail('SOURCE_TIMEOUT', 'the source did not answer in time')
        : fail('SOURCE_UNREACHABLE', 'the source cannot be reached');
    case 'ESOCKET':
    case 'ECLOSE':
    case 'EINSTLOOKUP':
    case 'EINVALIDSTATE':
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
      return fail('SOURCE_UNREACHABLE', 'the source cannot be reached');
    default:
      return fail('SOURCE_FAILED', 'the source failed');
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
