/** From what an HTTP exchange can fail with to our codes. A URL's query may hold a key: only its origin and path are told. */
import { type ErrorCode, HuitongError } from '../lib/errors.ts';

const unreachable = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Answers worth another request. 408 and 425 ask for it, the others say "later". */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

const byStatus: Record<number, { code: ErrorCode; message: string; hint?: string }> = {
  401: { code: 'SOURCE_AUTH', message: 'the source refused the credentials' },
  403: {
    code: 'SOURCE_FORBIDDEN',
    message: 'the source forbids this request',
    hint: 'Ask the API’s owner for the right to read this, or check the credentials’ scope.',
  },
  404: { code: 'TABLE_NOT_FOUND', message: 'the source has nothing at this path' },
  407: { code: 'SOURCE_UNREACHABLE', message: 'a proxy between asks for credentials' },
  410: { code: 'TABLE_NOT_FOUND', message: 'the source has removed what was at this path' },
};

export function isPassing(status: number): boolean {
  return passing.has(status);
}

/** Where, for a message: no user, no query. */
export function placeOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** The error that a status outside 2xx stands for. */
export function statusError(status: number, url: URL): HuitongError {
  const at = placeOf(url);
  const known = byStatus[status];
  if (known) return new HuitongError(known.code, `${known.message} (HTTP ${status})`, { at, hint: known.hint });
  const hint = status < 500 ? 'Check the path and the parameters of the request in the definition.' : undefined;
  return new HuitongError('SOURCE_FAILED', `the source answered with HTTP ${status}`, { at, hint });
}

/** The error that a failed connection, or one that broke off, stands for. */
export function connectionError(cause: unknown, url: URL): HuitongError {
  if (cause instanceof HuitongError) return cause;
  const at = placeOf(url);
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const message = cause instanceof Error ? cause.message : '';
  if (unreachable.has(code) || cause instanceof AggregateError || /socket hang up|aborted/i.test(message)) {
    return new HuitongError('SOURCE_UNREACHABLE', `the source cannot be reached${code && ` (${code})`}`, { at, cause });
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|ISSUER|EPROTO|ALTNAME/i.test(code)) {
    const hint = 'Check that the URL begins as the server speaks (http or https), and its authority (ca).';
    return new HuitongError('SOURCE_TLS', `no trusted TLS connection to the source (${code})`, { at, cause, hint });
  }
  return new HuitongError('SOURCE_FAILED', `the source’s answer cannot be read${code && ` (${code})`}`, { at, cause });
}
