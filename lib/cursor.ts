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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^[1-9]\d{3}-\d\d-\d\dT/;
const INTEGER_MAX = 2 ** 31 - 1;

/** What a member may be, so that PostgreSQL takes whatever is let through: `time` as `Date.toISOString` writes it. */
const kinds = {
  uuid: (member: unknown) => typeof member === 'string' && UUID.test(member),
  time: (member: unknown) => typeof member === 'string' && TIME.test(member) && isWritten(member),
  text: (member: unknown) => typeof member === 'string' && !/[\0\p{Cs}]/u.test(member),
  integer: (member: unknown) => Number.isInteger(member) && Math.abs(member as number) <= INTEGER_MAX,
  number: (member: unknown) => Number.isFinite(member),
};
type Kind = keyof typeof kinds;
type Members<K extends readonly Kind[]> = { [I in keyof K]: K[I] extends 'integer' | 'number' ? number : string };

/** A place with members of these kinds, in order. Throws REQUEST_INVALID for anything else: whoever forged it is told. */
export function decodeCursor<const K extends readonly Kind[]>(cursor: string, ...members: K): Members<K> {
  const place = parse(Buffer.from(cursor, 'base64url').toString());
  const ours =
    Array.isArray(place) && place.length === members.length && members.every((kind, i) => kinds[kind](place[i]));
  if (ours) return place as Members<K>;
  throw new HuitongError('REQUEST_INVALID', '游标无效，请从头查询 · the cursor is not one that was given out');
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

/** Not the 31st of February, which JavaScript takes for another day. */
function isWritten(time: string): boolean {
  const date = new Date(time);
  return !Number.isNaN(date.getTime()) && date.toISOString() === time;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
