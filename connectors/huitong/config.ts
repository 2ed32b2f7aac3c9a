/** `connection` of a source of kind `huitong`: another exchange, and the token that it gave us. */
import { HuitongError } from '../../lib/errors.ts';
import { configChecker } from '../config.ts';

export interface HuitongConfig {
  /** Of the exchange, without `/v1`. */
  url: string;
  token: string;
  /** Read under this grant; absent: under the best that the token has. */
  grant?: string;
  ca?: string;
  connectTimeoutMs?: number;
  responseTimeoutMs?: number;
}

const text = { type: 'string', minLength: 1 };

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Another Huitong',
  type: 'object',
  additionalProperties: false,
  properties: {
    url: { ...text, description: 'https://exchange.example.gov.cn, without /v1.' },
    token: { ...text, description: 'A token of the role officer there, as a reference: env:NEIGHBOUR_TOKEN.' },
    grant: { ...text, description: 'The id of one grant; absent: the best of them.' },
    ca: { ...text, description: 'PEM of the authority that signed the server certificate.' },
    connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600_000, default: 10_000 },
    responseTimeoutMs: { type: 'integer', minimum: 100, maximum: 3_600_000, default: 60_000 },
  },
  required: ['url', 'token'],
};

const assertSchema: (config: HuitongConfig) => void = configChecker(configSchema, 'a Huitong source');

/** The exchange's base URL. Throws CONFIG_INVALID. */
export function baseUrl(config: HuitongConfig): URL {
  assertSchema(config);
  const url = URL.canParse(config.url) ? new URL(config.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new HuitongError('CONFIG_INVALID', 'not an http(s) URL of an exchange', { pointer: '/url' });
  }
  return url;
}
