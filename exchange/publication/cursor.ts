/** Opaque cursors: where a listing goes on, as base64url of a JSON array. */
import { HuitongError } from '../../lib/errors.ts';

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  next?: string;
}

/** One pattern a member; throws REQUEST_INVALID for anything else, so that no forged cursor reaches PostgreSQL. */
export function decodeCursor(cursor: string, patterns: RegExp[]): string[] {
  const place = parse(Buffer.from(cursor, 'base64url').toString());
  const valid =
    Array.isArray(place) &&
    place.length === patterns.length &&
    patterns.every((pattern, i) => typeof place[i] === 'string' && pattern.test(place[i]));
  if (valid) return place;
  throw new HuitongError('REQUEST_INVALID', 'the cursor is not one that was given out');
}

/** One row more than the page was asked for: it is cut off, and tells that there is a next page. */
export function pageOf<Row, T>(
  rows: Row[],
  limit: number,
  place: (row: Row) => string[],
  shape: (row: Row) => T,
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? encode(place(last)) : undefined;
  return { items: items.map(shape), ...(next === undefined ? {} : { next }) };
}

function encode(place: string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
