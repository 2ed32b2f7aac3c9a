/** Dameng through its maker's npm driver, under its maker's licence: whoever uses it installs it (docs/decisions/0166). */
import { type ErrorCode, HuitongError } from '../../lib/errors.ts';
import { placeOf } from '../ora-config.ts';
import { type DriverConnection, loadDriver, type OraTarget } from '../ora-session.ts';
import { assertConfig, type DamengConfig } from './config.ts';

/** The driver's exports, as many of them as are used. */
interface DamengDriver {
  getConnection(attributes: Record<string, unknown>): Promise<DriverConnection>;
  fetchAsString: unknown[];
  fetchAsBuffer: unknown[];
  NUMBER: unknown;
  CLOB: unknown;
  BLOB: unknown;
}

/** Throws CONFIG_INVALID. */
export function targetOf(config: DamengConfig): OraTarget {
  assertConfig(config);
  const { host, port = 5236, user, password, connectTimeoutMs = 10_000 } = config;
  const place = placeOf(host, port);
  return {
    place,
    fetchOptions: {},
    errorOf,
    async connect({ label }) {
      const driver = (await loadDriver('dmdb', 'npm install dmdb, after reading its licence')) as DamengDriver;
      // Settings of the whole module; nothing else in this process uses it.
      driver.fetchAsString = [driver.NUMBER, driver.CLOB];
      driver.fetchAsBuffer = [driver.BLOB];
      return driver.getConnection({
        connectString: place,
        user,
        password,
        connectTimeout: connectTimeoutMs,
        appName: label,
        autoCommit: false,
      });
    },
  };
}

/** By DM8's error numbers (附录 错误码汇编), which are below zero. */
const byNumber: Record<number, { code: ErrorCode; message: string }> = {
  [-2501]: { code: 'SOURCE_AUTH', message: 'the source refused the login' },
  [-2502]: { code: 'SOURCE_AUTH', message: 'the source refused the login' },
  [-2503]: { code: 'SOURCE_AUTH', message: 'the account is locked' },
  [-2106]: { code: 'TABLE_NOT_FOUND', message: 'the source has no such table' },
  [-2103]: { code: 'TABLE_NOT_FOUND', message: 'the source has no such schema' },
  [-2111]: { code: 'COLUMN_NOT_FOUND', message: 'the table has no column of this name' },
  [-2207]: { code: 'COLUMN_NOT_FOUND', message: 'the table has no column of this name' },
  [-5504]: { code: 'SOURCE_FORBIDDEN', message: 'this user may not read the table' },
  [-6407]: { code: 'SOURCE_TIMEOUT', message: 'the table stays locked by somebody else' },
  // Of the driver itself, above zero.
  6001: { code: 'SOURCE_UNREACHABLE', message: 'the source cannot be reached' },
  6007: { code: 'SOURCE_UNREACHABLE', message: 'the connection to the source broke off' },
};

/** The driver's message may quote the statement and its values: only its number is told. */
export function errorOf(cause: unknown, at: string): HuitongError {
  const number = cause instanceof Error && 'errCode' in cause ? Number(cause.errCode) : Number.NaN;
  const known = byNumber[number];
  if (known !== undefined) return new HuitongError(known.code, `${known.message} (${number})`, { at, cause });
  const text = cause instanceof Error ? `${'code' in cause ? cause.code : ''} ${cause.message}` : '';
  if (/ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|EPIPE/.test(text)) {
    return new HuitongError('SOURCE_UNREACHABLE', 'the source cannot be reached', { at, cause });
  }
  const told = Number.isNaN(number) ? '' : ` (${number})`;
  return new HuitongError('SOURCE_FAILED', `the source failed${told}`, { at, cause });
}
