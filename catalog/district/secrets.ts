/** SECRET_INLINE: a connection holds references to secrets, never secrets (design, decision 15). */
import { pointerTo } from '../../contracts/pointer.ts';

const secretWords = new Set([
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'secret',
  'token',
  'key',
  'credential',
  'credentials',
]);
const reference = /^(env|file):./;
/** user:password@ of a URL, and password= of a query or a connection string. */
const passwordInText = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^@\s]+@|(^|[?&;\s])(password|passwd|pwd|secret|token)\s*=/i;

/** Pointers, within `connection`, of what looks like a secret that is written out. */
export function inlineSecrets(connection: unknown, pointer = '', name = ''): string[] {
  if (Array.isArray(connection)) {
    return connection.flatMap((item, i) => inlineSecrets(item, pointer + pointerTo(i), name));
  }
  if (typeof connection === 'object' && connection !== null) {
    return Object.entries(connection).flatMap(([key, value]) => inlineSecrets(value, pointer + pointerTo(key), key));
  }
  if (connection === null || typeof connection === 'boolean') return [];
  const text = String(connection);
  if (reference.test(text)) return [];
  return namesSecret(name) || passwordInText.test(text) ? [pointer] : [];
}

/** By its words: `apiKey`, `ssl_key` and `PASSWORD`, but not `keyspace` or `publicKey`. */
function namesSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return !words.includes('public') && words.some((word) => secretWords.has(word) || word === 'apikey');
}
