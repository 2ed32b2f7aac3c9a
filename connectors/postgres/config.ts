import type { ConnectionOptions } from 'node:tls';
import { configChecker, invalidUrl, type TlsSetting, tlsSettingSchema, urlParts } from '../config.ts';

/** A source's `connection`, secrets resolved. Either `url`, or `host`, `database` and `user`. */
export interface PostgresConfig {
  url?: string;
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  ssl?: TlsSetting;
  /** `transaction`: the server cannot share a snapshot between connections, so tables are read in one piece. */
  snapshot?: 'exported' | 'transaction';
  connectTimeoutMs?: number;
  /** Longest time of one statement in the source, reading a partition included. Default 0: no limit. */
  statementTimeoutMs?: number;
}

const text = { type: 'string', minLength: 1 };

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'PostgreSQL connection',
  type: 'object',
  additionalProperties: false,
  properties: {
    url: { ...text, description: 'postgres://user:password@host:port/database?sslmode=disable|require|verify-full' },
    host: { ...text, description: 'Host name or address.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 5432 },
    database: text,
    user: text,
    password: { ...text, description: 'Best given as a reference, such as env:HEALTH_DB_PASSWORD.' },
    ssl: tlsSettingSchema,
    snapshot: {
      enum: ['exported', 'transaction'],
      default: 'exported',
      description: '`transaction` for servers that speak PostgreSQL’s protocol and cannot export a snapshot.',
    },
    connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600000, default: 10000 },
    statementTimeoutMs: { type: 'integer', minimum: 0, maximum: 2147483647, default: 0 },
  },
  oneOf: [
    { required: ['url'], properties: { host: false, port: false, database: false, user: false, password: false } },
    { required: ['host', 'database', 'user'], properties: { url: false } },
  ],
};

/** Where and how to connect; nothing is taken from the environment (PGHOST and the like) or from files. */
export interface ConnectionTarget {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl: false | ConnectionOptions;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
}

const what = 'a PostgreSQL source';
const assertConfig = configChecker<PostgresConfig>(configSchema, what);

/** Throws CONFIG_INVALID with a pointer to each mistake, never with a value. */
export function connectionTarget(config: PostgresConfig): ConnectionTarget {
  assertConfig(config);
  const common = {
    connectTimeoutMs: config.connectTimeoutMs ?? 10_000,
    statementTimeoutMs: config.statementTimeoutMs ?? 0,
  };
  if (config.url !== undefined) return { ...common, ...fromUrl(config.url, config.ssl) };
  return {
    ...common,
    host: config.host ?? '',
    port: config.port ?? 5432,
    database: config.database ?? '',
    user: config.user ?? '',
    password: config.password ?? '',
    ssl: tlsOptions(config.ssl),
  };
}

type Address = Omit<ConnectionTarget, 'connectTimeoutMs' | 'statementTimeoutMs'>;

function fromUrl(text: string, ssl: TlsSetting | undefined): Address {
  const { parameters, ...address } = urlParts(text, ['postgres', 'postgresql'], what);
  const { sslmode, ...others } = parameters;
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw invalidUrl(what, `has unknown parameters: ${unknown.join(', ')}`);
  return { port: 5432, ...address, ssl: tlsOptions(ssl ?? sslOfMode(sslmode)) };
}

function sslOfMode(mode: string | undefined): TlsSetting | undefined {
  switch (mode) {
    case undefined:
    case 'disable':
      return false;
    case 'require':
      return { verify: false };
    case 'verify-full':
      return true;
    default:
      throw invalidUrl(what, 'has an sslmode other than disable, require or verify-full');
  }
}

function tlsOptions(ssl: TlsSetting | undefined): false | ConnectionOptions {
  if (ssl === undefined || ssl === false) return false;
  if (ssl === true) return { rejectUnauthorized: true };
  const { ca, cert, key, serverName, verify } = ssl;
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
