/**
 * Canonical JSON (RFC 8785, JCS): one text for one value, so that it can be hashed. Members are sorted by UTF-16 code
 * units, numbers and strings are written as ECMAScript writes them, which is what JCS prescribes.
 */
import { HuitongError } from './errors.ts';

/** Members that are `undefined` are left out. Throws REQUEST_INVALID for what JSON or UTF-8 cannot say. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${scalar(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return scalar(value);
}

/** With the `u` flag a pair is one character, so that only a lone half matches. */
const loneSurrogate = /\p{Surrogate}/u;

function scalar(value: unknown): string {
  const sayable =
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' && !loneSurrogate.test(value));
  if (!sayable) throw new HuitongError('REQUEST_INVALID', `canonical JSON cannot hold this ${typeof value}`);
  return JSON.stringify(value);
}
