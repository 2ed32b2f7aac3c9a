/** A source's `connection` against its kind's JSON Schema. No message holds a value: any setting may be a secret. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { HuitongError } from '../lib/errors.ts';

export type ConfigSchema = Record<string, unknown>;

/**
 * A function that throws CONFIG_INVALID, with a pointer to each mistake, where a connection is not as the schema says.
 * @param what for messages, for instance `a PostgreSQL source`
 */
export function configChecker<Config>(schema: ConfigSchema, what: string): (config: Config) => void {
  // Compiled when first used: most processes never see most kinds.
  let validate: ValidateFunction | undefined;
  return (config) => {
    validate ??= new Ajv2020({ allErrors: true, strict: false }).compile(schema);
    if (validate(config)) return;
    const problems = (validate.errors ?? []).map((error) => {
      const unknown = error.params.additionalProperty;
      const message = typeof unknown === 'string' ? `unknown setting ${unknown}` : (error.message ?? error.keyword);
      return { code: 'CONFIG_INVALID' as const, message, pointer: error.instancePath };
    });
    throw new HuitongError('CONFIG_INVALID', `the connection of ${what}: ${problems[0]?.message}`, {
      pointer: problems[0]?.pointer,
      problems,
    });
  };
}

/** How TLS is set: `true` verifies the server's certificate and name. Default false: no TLS. */
export type TlsSetting = boolean | { ca?: string; cert?: string; key?: string; serverName?: string; verify?: boolean };

const text = { type: 'string', minLength: 1 };

/** A `TlsSetting`, in a kind's schema. */
export const tlsSettingSchema: ConfigSchema = {
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
};

/** The parts of a database's URL, decoded. */
export interface UrlParts {
  host: string;
  port?: number;
  database: string;
  user: string;
  password: string;
  parameters: Record<string, string>;
}

/**
 * `scheme://user:password@host:port/database?parameters`.
 * @param schemes the first is named in the message
 * @param what as `configChecker` has it
 * @throws HuitongError CONFIG_INVALID, without the URL's text and without a cause: URL's own error carries the password
 */
export function urlParts(text: string, schemes: string[], what: string): UrlParts {
  const invalid = (problem: string) => invalidUrl(what, problem);
  if (!URL.canParse(text)) throw invalid('cannot be parsed (is the password percent-encoded?)');
  const url = new URL(text);
  if (!schemes.includes(url.protocol.slice(0, -1))) throw invalid(`must begin with ${schemes[0]}://`);
  const decode = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw invalid('has a % that begins no character (write %25 for %)');
    }
  };
  const parts = {
    host: decode(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    database: decode(url.pathname.slice(1)),
    user: decode(url.username),
    password: decode(url.password),
    parameters: Object.fromEntries(url.searchParams),
  };
  if (parts.host === '' || parts.database === '' || parts.user === '') {
    throw invalid('must name a user, a host and a database');
  }
  return parts;
}

export function invalidUrl(what: string, problem: string): HuitongError {
  return new HuitongError('CONFIG_INVALID', `the URL of ${what} ${problem}`, { pointer: '/url' });
}
