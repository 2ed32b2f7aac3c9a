/** How two JSON values differ, member by member. */
import { pointerTo } from '../../contracts/pointer.ts';
import type { Change } from '../../schemas/generated/api.ts';

/**
 * One change for each member that differs, by pointer. Lists are compared as wholes: their order has meaning, and
 * "item 3 became item 4" tells nobody anything. An absent member is an absent `from` or `to`.
 */
export function differences(from: unknown, to: unknown, pointer = ''): Change[] {
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return names.flatMap((name) => differences(memberOf(from, name), memberOf(to, name), pointer + pointerTo(name)));
  }
  if (isEqual(from, to)) return [];
  return [{ pointer, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => differences(item, b[i]).length === 0);
  }
  return Object.is(a, b) || (a === 0 && b === 0);
}

function memberOf(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
