/** Which columns of a version are sent, and the entity tag of exactly that. */
import { hash } from 'node:crypto';
import type { Schema } from 'apache-arrow';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Grant } from './grants.ts';

export interface Projection {
  /** In the order in which they are sent; null: all, as stored. */
  columns: string[] | null;
}

/**
 * @param schema of the version
 * @param requested the columns asked for, in order; undefined: all that the grant gives
 * @throws COLUMN_NOT_GRANTED for a column that is not there or not given: the two look the same
 * @throws REQUEST_INVALID for an empty list, or a column asked for twice
 */
export function project(grant: Grant, schema: Schema, requested: string[] | undefined): Projection {
  const present = schema.fields.map((field) => field.name);
  const given = grant.columns === null ? present : present.filter((name) => grant.columns?.includes(name));
  if (requested === undefined) return { columns: given.length === present.length ? null : given };
  if (requested.length === 0) throw new HuitongError('REQUEST_INVALID', '未请求任何列 · no column is asked for');
  if (new Set(requested).size < requested.length) {
    throw new HuitongError('REQUEST_INVALID', '同一列请求了两次 · a column is asked for twice');
  }
  const known = new Set(given);
  const unknown = requested.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new HuitongError('COLUMN_NOT_GRANTED', `没有列 ${quote(unknown)} · there is no column ${quote(unknown)}`);
  const whole = requested.length === present.length && requested.every((name, i) => name === present[i]);
  return { columns: whole ? null : requested };
}

/** A strong entity tag (RFC 9110 section 8.8.3), without quotes: equal exactly where every byte is. */
export function entityTag(manifestDigest: string, projection: Projection, format: string): string {
  return hash('sha256', canonicalJson({ manifestDigest, columns: projection.columns, format }), 'hex');
}

/** What a caller wrote, back to the caller: shortened, so that an error stays one line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
}
