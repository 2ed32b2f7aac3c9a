import { configChecker, invalidUrl, urlParts } from '../config.ts';

/** A source's `connection`, secrets resolved. Either `url`, or `server`, `database` and `user`. */
export interface MssqlConfig {
  url?: string;
  server?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  /** Windows domain: NTLM instead of a SQL Server login. */
  domain?: string;
  /** Default true. `strict` is TDS 8: TLS before everything else. */
  encrypt?: boolean | 'strict';
  /** Default false: the certificate must be vouched for, and carry the server's name. */
  trustServerCertificate?: boolean;
  /** PEM of the authority that signed the server's certificate. */
  ca?: string;
  /** The name in the certificate, where it is not the server's. */
  serverName?: string;
  /** Read from this database snapshot of `database`. */
  databaseSnapshot?: string;
  /** Ask an availability group for a readable secondary. */
  readOnlyIntent?: boolean;
  connectTimeoutMs?: number;
  /** Longest wait for a statement's first rows. Default 0: no limit. */
  statementTimeoutMs?: number;
  /** Longest silence while rows come. */
  idleTimeoutMs?: number;
}

const text = { type: 'string', minLength: 1 };
const address = { server: false, port: false, database: false, user: false, password: false };

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'SQL Server connection',
  type: 'object',
  additionalProperties: false,
  properties: {
    url: { ...text, description: 'mssql://user:password@server:port/database' },
    server: { ...text, description: 'Host name or address.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 1433 },
    database: text,
    user: text,
    password: { ...text, description: 'Best given as a reference, such as env:HEALTH_DB_PASSWORD.' },
    domain: { ...text, description: 'Windows domain of the user: NTLM.' },
    encrypt: { enum: [true, false, 'strict'], default: true, description: '`strict` is TDS 8.' },
    trustServerCertificate: { type: 'boolean', default: false },
    ca: { ...text, description: 'PEM of the authority that signed the server certificate.' },
    serverName: { ...text, description: 'The name in the server certificate, where it is not the server.' },
    databaseSnapshot: { ...text, description: 'Name of a database snapshot of `database` to read from.' },
    readOnlyIntent: { type: 'boolean', default: false, description: 'Ask for a readable secondary.' },
    connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600000, default: 15000 },
    statementTimeoutMs: { type: 'integer', minimum: 0, maximum: 2147483647, default: 0 },
    idleTimeoutMs: { type: 'integer', minimum: 100, maximum: 2147483647, default: 300000 },
  },
  oneOf: [
    { required: ['url'], properties: address },
    { required: ['server', 'database', 'user'], properties: { url: false } },
  ],
};

/** Where and how to connect, defaults filled in; nothing is taken from the environment. */
export interface ConnectionTarget {
  server: string;
  port: number;
  database: string;
  user: string;
  password: string;
  domain: string | undefined;
  encrypt: boolean | 'strict';
  trustServerCertificate: boolean;
  ca: string | undefined;
  serverName: string | undefined;
  readOnlyIntent: boolean;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
  idleTimeoutMs: number;
}

const what = 'a SQL Server source';
const assertConfig = configChecker<MssqlConfig>(configSchema, what);

/** Throws CONFIG_INVALID with a pointer to each mistake, never with a value. */
export function connectionTarget(config: MssqlConfig): ConnectionTarget {
  assertConfig(config);
  const { server, port, database, user, password } = config.url === undefined ? config : fromUrl(config.url);
  return {
    server: server ?? '',
    port: port ?? 1433,
    database: config.databaseSnapshot ?? database ?? '',
    user: user ?? '',
    password: password ?? '',
    domain: config.domain,
    encrypt: config.encrypt ?? true,
    trustServerCertificate: config.trustServerCertificate ?? false,
    ca: config.ca,
    serverName: config.serverName,
    readOnlyIntent: config.readOnlyIntent ?? false,
    connectTimeoutMs: config.connectTimeoutMs ?? 15_000,
    statementTimeoutMs: config.statementTimeoutMs ?? 0,
    idleTimeoutMs: config.idleTimeoutMs ?? 300_000,
  };
}

function fromUrl(text: string): Pick<MssqlConfig, 'server' | 'port' | 'database' | 'user' | 'password'> {
  const { host, parameters, ...target } = urlParts(text, ['mssql'], what);
  if (Object.keys(parameters).length > 0) throw invalidUrl(what, 'has parameters; give them as settings beside it');
  return { server: host, ...target };
}
