import type { ConnectionOptions } from 'node:tls';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { HuitongError } from '../../lib/errors.ts';

/** A source's `connection`, secrets resolved. Either `url`, or `host`, `database` and `user`. */
export interface PostgresConfig {
  url?: string;
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  /** `true` verifies the server's certificate and name. Default false: no TLS. */
  ssl?: boolean | { ca?: string; cert?: string; key?: string; serverName?: string; verify?: boolean };
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
    ssl: {
      default: false,
      oneOf: [
        { type: 'boolean' },
        {
          type: 'object',
          additionalProperties: false,
          properties: {
            ca: { ...text, description: 'PEM of the authority that signed the server certificate.' },
            cert: { ...text, description: 'PEM of a client certificate.' },
            key: { ...text, description: 'PEM of its private key.' },
            serverName: { ...text, description: 'The name in the server certificate, where it is not the host.' },
            verify: { type: 'boolean', default: true },
          },
        },
      ],
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

let validate: ValidateFunction | undefined;

/** Throws CONFIG_INVALID with a pointer to each mistake, never with a value. */
export function connectionTarget(config: PostgresConfig): ConnectionTarget {
  validate ??= new Ajv2020({ allErrors: true, strict: false }).compile(configSchema);
  if (!validate(config)) {
    const problems = (validate.errors ?? []).map((error) => {
      const unknown = error.params.additionalProperty;
      const message = typeof unknown === 'string' ? `unknown setting ${unknown}` : (error.message ?? error.keyword);
      return { code: 'CONFIG_INVALID' as const, message, pointer: error.instancePath };
    });
    throw new HuitongError('CONFIG_INVALID', `the connection of a PostgreSQL source: ${problems[0]?.message}`, {
      pointer: problems[0]?.pointer,
      problems,
    });
  }
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

function fromUrl(text: string, ssl: PostgresConfig['ssl']): Address {
  const invalid = (what: string) =>
    // No cause: URL's own error carries the whole text, with the password in it.
    new HuitongError('CONFIG_INVALID', `the URL of a PostgreSQL source ${what}`, { pointer: '/url' });
  if (!URL.canParse(text)) throw invalid('cannot be parsed (is the password percent-encoded?)');
  const url = new URL(text);
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) throw invalid('must begin with postgres://');
  const { sslmode, ...others } = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw invalid(`has unknown parameters: ${unknown.join(', ')}`);
  const address = {
    host: decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  if (address.host === '' || address.database === '' || address.user === '') {
    throw invalid('must name a user, a host and a database');
  }
  return { ...address, ssl: tlsOptions(ssl ?? sslOfMode(sslmode, invalid)) };
}

function sslOfMode(mode: string | undefined, invalid: (what: string) => HuitongError): PostgresConfig['ssl'] {
  switch (mode) {
    case undefined:
    case 'disable':
      return false;
    case 'require':
      return { verify: false };
    case 'verify-full':
      return true;
    default:
      throw invalid('has an sslmode other than disable, require or verify-full');
  }
}

function tlsOptions(ssl: PostgresConfig['ssl']): false | ConnectionOptions {
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
