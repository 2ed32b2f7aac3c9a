/** Opaque cursors: where a listing goes on, as base64url of a JSON array. */
import { HuitongError } from './errors.ts';

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  next?: string;
}

export function encodeCursor(place: (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Throws REQUEST_INVALID for anything but a cursor of that many members. */
export function decodeCursor(cursor: string, members: number): (string | number)[] {
  const place = parse(Buffer.from(cursor, 'base64url').toString());
  const ours =
    Array.isArray(place) && place.length === members && place.every((m) => ['string', 'number'].includes(typeof m));
  if (ours) return place;
  throw new HuitongError('REQUEST_INVALID', 'the cursor is not one that was given out');
}

/** One row more than the page was asked for: it is cut off, and tells that there is a next page. */
export function pageOf<Row, T>(
  rows: Row[],
  limit: number,
  place: (row: Row) => (string | number)[],
  shape: (row: Row) => T,
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? encodeCursor(place(last)) : undefined;
  return { items: items.map(shape), ...(next === undefined ? {} : { next }) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
