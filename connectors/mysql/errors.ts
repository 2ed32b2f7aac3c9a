/** From what the driver and the server report to our codes. A server's message may quote a cell: it stays a cause. */
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';

interface Meaning {
  code: ErrorCode;
  message: string;
}

const noLogin: Meaning = { code: 'SOURCE_AUTH', message: 'the source refused the login' };
const noRight: Meaning = { code: 'SOURCE_FORBIDDEN', message: 'this user may not read the table' };
const noTable: Meaning = { code: 'TABLE_NOT_FOUND', message: 'the source has no table of this name' };
const noDatabase: Meaning = {
  code: 'SOURCE_DATABASE_MISSING',
  message: 'the source has no database of this name for this user',
};
const broken: Meaning = { code: 'SOURCE_UNREACHABLE', message: 'the source ended the connection or is not ready' };
const tooSlow: Meaning = { code: 'SOURCE_TIMEOUT', message: 'the statement took too long, or the table stays locked' };

/** MySQL and MariaDB "Server Error Message Reference", by number. */
const byNumber: Record<number, Meaning> = {
  1040: broken,
  1044: noDatabase,
  1045: noLogin,
  1049: noDatabase,
  1051: noTable,
  1053: broken,
  1054: { code: 'COLUMN_NOT_FOUND', message: 'the table has no column of this name' },
  1129: broken,
  1130: noLogin,
  1142: noRight,
  1143: noRight,
  1146: noTable,
  1203: broken,
  1205: tooSlow,
  1213: { code: 'SOURCE_FAILED', message: 'the source chose this read as a deadlock’s victim' },
  1226: broken,
  1356: noRight,
  1412: { code: 'SCHEMA_DRIFT', message: 'the table’s definition changed while the snapshot was held' },
  1524: noLogin,
  1820: noLogin,
  1862: noLogin,
  1927: broken,
  1969: tooSlow,
  3024: tooSlow,
  3118: noLogin,
  3159: { code: 'SOURCE_TLS', message: 'the source takes no connection without TLS' },
  4031: broken,
  4151: noLogin,
};

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
]);
const certificate = /certificate|self.signed|altname|unable to (get|verify)|ERR_TLS|ERR_SSL|EPROTO|HANDSHAKE_NO_SSL/i;

/** `at` names the table or the address; it must not hold a secret. */
export function sourceError(cause: unknown, at: string): HuitongError {
  if (cause instanceof HuitongError) return cause;
  if (!(cause instanceof Error)) return new HuitongError('SOURCE_FAILED', 'the source failed', { at, cause });
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // Certificates first: what a TLS failure is called differs between platforms.
  if (certificate.test(`${code} ${cause.message}`)) {
    return new HuitongError('SOURCE_TLS', `no trusted TLS connection to the source (${code})`, { at, cause });
  }
  if (unreachable.has(code)) {
    return new HuitongError('SOURCE_UNREACHABLE', `the source cannot be reached (${code})`, { at, cause });
  }
  const number = errorNumber(cause);
  const meaning = number === undefined ? undefined : byNumber[number];
  if (meaning !== undefined)
    return new HuitongError(meaning.code, `${meaning.message} (error ${number})`, { at, cause });
  if (code.startsWith('AUTH_')) {
    return new HuitongError('SOURCE_AUTH', `the source asks for a login that is not supported (${code})`, {
      at,
      cause,
    });
  }
  const suffix = number === undefined ? '' : ` with error ${number}`;
  return new HuitongError('SOURCE_FAILED', `the source failed${suffix}`, { at, cause });
}

/** The server's number of an error, of ours or of the driver's. */
export function errorNumber(cause: unknown): number | undefined {
  const error = cause instanceof HuitongError ? cause.cause : cause;
  if (!(error instanceof Error) || !('errno' in error)) return undefined;
  return typeof error.errno === 'number' && error.errno > 0 ? error.errno : undefined;
}
