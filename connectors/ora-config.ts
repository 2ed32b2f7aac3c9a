/** What a connection to Oracle and to Dameng have in common. */
export interface OraConfig {
  host: string;
  port?: number;
  user: string;
  password: string;
  connectTimeoutMs?: number;
}

const text = { type: 'string', minLength: 1 };

export const oraProperties = {
  host: { ...text, description: 'Host name or address.' },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  user: text,
  password: { ...text, description: 'A reference, such as env:HIS_PASSWORD.' },
  connectTimeoutMs: { type: 'integer', minimum: 1000, maximum: 600_000, default: 10_000 },
};

/** `host:port`, an IPv6 address in brackets. */
export function placeOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
