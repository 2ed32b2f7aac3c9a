/** `connection` of a source of kind `delta-sharing`: a profile file, or what stands in it. */
import { HuitongError } from '../../lib/errors.ts';
import { configChecker } from '../config.ts';

export interface DeltaSharingConfig {
  /** The text of a profile file (PROTOCOL.md, "Profile File Format"); or `endpoint` and `bearerToken` of one. */
  profile?: string;
  endpoint?: string;
  bearerToken?: string;
  ca?: string;
  connectTimeoutMs?: number;
  responseTimeoutMs?: number;
  /** One data file at most; they are read whole. */
  fileBytesMax?: number;
}

const text = { type: 'string', minLength: 1 };

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Delta Sharing server',
  type: 'object',
  additionalProperties: false,
  properties: {
    profile: {
      ...text,
      description: 'The profile file that the provider gave, as a reference: file:/run/secrets/partner.share.',
    },
    endpoint: { ...text, description: 'Instead of a profile: https://host/delta-sharing.' },
    bearerToken: { ...text, description: 'Instead of a profile: a reference, such as env:PARTNER_TOKEN.' },
    ca: { ...text, description: 'PEM of the authority that signed the server certificate.' },
    connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600_000, default: 10_000 },
    responseTimeoutMs: { type: 'integer', minimum: 100, maximum: 3_600_000, default: 60_000 },
    fileBytesMax: { type: 'integer', minimum: 1024, maximum: 1_073_741_824, default: 268_435_456 },
  },
  oneOf: [
    { required: ['profile'], properties: { endpoint: false, bearerToken: false } },
    { required: ['endpoint', 'bearerToken'], properties: { profile: false } },
  ],
};

export interface Access {
  endpoint: URL;
  token: string;
}

const assertSchema: (config: DeltaSharingConfig) => void = configChecker(configSchema, 'a Delta Sharing source');

/** Throws CONFIG_INVALID, and SOURCE_AUTH where the profile says that its token has ended. */
export function accessOf(config: DeltaSharingConfig): Access {
  assertSchema(config);
  if (config.profile !== undefined) return fromProfile(config.profile);
  return { endpoint: endpointOf(config.endpoint, '/endpoint'), token: config.bearerToken ?? '' };
}

/** Version 1 has bearer tokens. Version 2, with OAuth and others, is refused by name. */
function fromProfile(profile: string): Access {
  const invalid = (message: string) =>
    new HuitongError('CONFIG_INVALID', `the profile ${message}`, { pointer: '/profile' });
  let members: Record<string, unknown>;
  try {
    // No cause: the parser's message quotes the text, with the token in it.
    members = JSON.parse(profile) as Record<string, unknown>;
  } catch {
    throw invalid('is not JSON');
  }
  const { shareCredentialsVersion, bearerToken, expirationTime } = members;
  if (shareCredentialsVersion !== 1) throw invalid('is not of shareCredentialsVersion 1');
  if (typeof bearerToken !== 'string' || bearerToken === '') throw invalid('has no bearerToken');
  const endpoint = endpointOf(members.endpoint, '/profile');
  if (typeof expirationTime === 'string' && !(Date.parse(expirationTime) > Date.now())) {
    throw new HuitongError('SOURCE_AUTH', 'the profile has ended by its own expirationTime', {
      at: endpoint.origin,
      hint: 'Ask the provider for a new profile file.',
    });
  }
  return { endpoint, token: bearerToken };
}

function endpointOf(text: unknown, pointer: string): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '') return url;
  throw new HuitongError('CONFIG_INVALID', 'the endpoint is not an http(s) URL', { pointer });
}
