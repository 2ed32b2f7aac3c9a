import {
  type ConfigSchema,
  configChecker,
  invalidUrl,
  type TlsSetting,
  tlsSettingSchema,
  urlParts,
} from '../config.ts';

/** A source's `connection`, secrets resolved. Either `url`, or `host`, `database` and `user`. */
export interface MysqlConfig {
  url?: string;
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  ssl?: TlsSetting;
  connectTimeoutMs?: number;
  /** Longest time of one statement in the source, reading a table included. Default 0: no limit. */
  statementTimeoutMs?: number;
  /** Longest silence while rows come. */
  idleTimeoutMs?: number;
}

const text = { type: 'string', minLength: 1 };

export const configSchema: ConfigSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'MySQL or MariaDB connection',
  type: 'object',
  additionalProperties: false,
  properties: {
    url: { ...text, description: 'mysql://user:password@host:port/database' },
    host: { ...text, description: 'Host name or address.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 3306 },
    database: text,
    user: { ...text, description: 'OceanBase: user@tenant#cluster.' },
    password: { ...text, description: 'Best given as a reference, such as env:HEALTH_DB_PASSWORD.' },
    ssl: tlsSettingSchema,
    connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600000, default: 10000 },
    statementTimeoutMs: { type: 'integer', minimum: 0, maximum: 2147483647, default: 0 },
    idleTimeoutMs: { type: 'integer', minimum: 100, maximum: 2147483647, default: 300000 },
  },
  oneOf: [
    { required: ['url'], properties: { host: false, port: false, database: false, user: false, password: false } },
    { required: ['host', 'database', 'user'], properties: { url: false } },
  ],
};

/** Where and how to connect, defaults filled in; nothing is taken from the environment or from option files. */
export interface ConnectionTarget {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** Undefined: no TLS. */
  tls: TlsTarget | undefined;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
  idleTimeoutMs: number;
}

interface TlsTarget {
  verify: boolean;
  serverName?: string;
  ca?: string;
  cert?: string;
  key?: string;
}

const what = 'a MySQL source';
const assertValid = configChecker<MysqlConfig>(configSchema, what);

/** Throws CONFIG_INVALID with a pointer to each mistake, never with a value. */
export function connectionTarget(config: MysqlConfig): ConnectionTarget {
  assertValid(config);
  const { host, port, database, user, password } = config.url === undefined ? config : fromUrl(config.url);
  return {
    host: host ?? '',
    port: port ?? 3306,
    database: database ?? '',
    user: user ?? '',
    password: password ?? '',
    tls: tlsTarget(config.ssl),
    connectTimeoutMs: config.connectTimeoutMs ?? 10_000,
    statementTimeoutMs: config.statementTimeoutMs ?? 0,
    idleTimeoutMs: config.idleTimeoutMs ?? 300_000,
  };
}

function fromUrl(url: string): Pick<MysqlConfig, 'host' | 'port' | 'database' | 'user' | 'password'> {
  const { parameters, ...target } = urlParts(url, ['mysql', 'mariadb'], what);
  if (Object.keys(parameters).length > 0) throw invalidUrl(what, 'has parameters; give them as settings beside it');
  return target;
}

function tlsTarget(ssl: TlsSetting | undefined): TlsTarget | undefined {
  if (ssl === undefined || ssl === false) return undefined;
  return ssl === true ? { verify: true } : { ...ssl, verify: ssl.verify ?? true };
}
