/** Oracle through its npm driver in thin mode, which is JavaScript and needs no Oracle client. */
import { type ErrorCode, HuitongError } from '../../lib/errors.ts';
import { placeOf } from '../ora-config.ts';
import { type DriverConnection, loadDriver, type OraTarget } from '../ora-session.ts';
import { assertConfig, type OracleConfig } from './config.ts';

interface FetchedColumn {
  dbType: unknown;
}

/** The driver's exports, as many of them as are used. */
interface OracleDriver {
  getConnection(
    attributes: Record<string, unknown>,
  ): Promise<DriverConnection & { module?: string; clientId?: string }>;
  STRING: unknown;
  BUFFER: unknown;
  [constant: `DB_TYPE_${string}`]: unknown;
}

const asText = ['NUMBER', 'CLOB', 'NCLOB', 'LONG', 'LONG_NVARCHAR', 'ROWID', 'UROWID'] as const;
const asBytes = ['BLOB', 'LONG_RAW', 'RAW'] as const;
/** V$SESSION.MODULE has room for 48 bytes. */
const MODULE_BYTES_MAX = 48;

/** Throws CONFIG_INVALID. */
export function targetOf(config: OracleConfig): OraTarget {
  assertConfig(config);
  const { host, port = 1521, service, user, password, ssl = false, connectTimeoutMs = 10_000 } = config;
  const place = placeOf(host, port);
  const fetchOptions: Record<string, unknown> = {};
  return {
    place: `${place}/${service}`,
    fetchOptions,
    errorOf,
    async connect({ label }) {
      const driver = (await loadDriver('oracledb', 'npm install oracledb@6')) as OracleDriver;
      fetchOptions.fetchTypeHandler = fetchTypeHandler(driver);
      const seconds = Math.max(1, Math.round(connectTimeoutMs / 1000));
      const connection = await driver.getConnection({
        user,
        password,
        connectString: `${ssl ? 'tcps' : 'tcp'}://${place}/${service}?connect_timeout=${seconds}&transport_connect_timeout=${seconds}`,
      });
      // Who asks, for the DBA: told to the server with the next call.
      connection.module = Buffer.from(label).subarray(0, MODULE_BYTES_MAX).toString();
      return connection;
    },
  };
}

/** NUMBER's own form is a double; large objects would come as streams of their own. */
export function fetchTypeHandler(driver: OracleDriver): (column: FetchedColumn) => { type: unknown } | undefined {
  const texts = new Set(asText.map((name) => driver[`DB_TYPE_${name}`]));
  const bytes = new Set(asBytes.map((name) => driver[`DB_TYPE_${name}`]));
  return ({ dbType }) => {
    if (dbType === undefined) return undefined;
    if (texts.has(dbType)) return { type: driver.STRING };
    return bytes.has(dbType) ? { type: driver.BUFFER } : undefined;
  };
}

/** By the number behind `ORA-`, or the driver's own behind `NJS-`. */
const meanings: [pattern: RegExp, code: ErrorCode, message: string][] = [
  [/ORA-0*(1017|1005|28000|28001|28009)\b/, 'SOURCE_AUTH', 'the source refused the login'],
  [/ORA-0*1045\b/, 'SOURCE_AUTH', 'the user may not open a session (CREATE SESSION)'],
  [/ORA-0*(12505|12514|1109|12528)\b|NJS-51[78]/, 'SOURCE_DATABASE_MISSING', 'the listener knows no such service'],
  [/ORA-0*(1555|8180|8181|30052)\b/, 'SNAPSHOT_LOST', 'the source no longer has the state of this SCN'],
  [/ORA-0*1466\b/, 'SCHEMA_DRIFT', 'the table changed behind the snapshot'],
  [/ORA-0*(942|4043)\b/, 'TABLE_NOT_FOUND', 'the source has no such table, or this user may not read it'],
  [/ORA-0*904\b/, 'COLUMN_NOT_FOUND', 'the table has no column of this name'],
  [/ORA-0*(1031|41900)\b/, 'SOURCE_FORBIDDEN', 'this user may not do that'],
  [/ORA-0*(1013|3156)\b|NJS-123/, 'SOURCE_TIMEOUT', 'the source ended the statement'],
  [
    /ORA-0*(1033|1034|1089|1090|12154|12170|12516|12519|12520|12541|12543|12545|12547|12637|18|20)\b/,
    'SOURCE_UNREACHABLE',
    'the source cannot be reached',
  ],
  [
    /ORA-0*(28860|28864|29024|28759)\b|NJS-505|CERT|SELF_SIGNED|EPROTO/,
    'SOURCE_TLS',
    'no trusted TLS connection to the source',
  ],
  [
    /ORA-0*(3113|3114|3135|12537|12571)\b|NJS-(500|501|503|506|510|511|521|530|533)\b|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/,
    'SOURCE_UNREACHABLE',
    'the source cannot be reached',
  ],
];

/** The driver's message may quote the statement and its values: only its number is told. */
export function errorOf(cause: unknown, at: string): HuitongError {
  const text = cause instanceof Error ? `${'code' in cause ? cause.code : ''} ${cause.message}` : '';
  const number = /\b(ORA|NJS|DPI)-\d+/.exec(text)?.[0];
  const known = meanings.find(([pattern]) => pattern.test(text));
  const told = number === undefined ? '' : ` (${number})`;
  if (known !== undefined) return new HuitongError(known[1], `${known[2]}${told}`, { at, cause });
  return new HuitongError('SOURCE_FAILED', `the source failed${told}`, { at, cause });
}
