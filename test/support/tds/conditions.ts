/**
 * Which rows a window of a cursor holds, as SQL Server would decide: the comparisons that connectors/mssql/cursor.ts
 * writes, with every digit of a time and every byte of a rowversion. Anything else is an error, never all rows.
 */

export interface Moment {
  /** SYSDATETIME(), with all seven digits. */
  now: string;
  /** MIN_ACTIVE_ROWVERSION(), as `0x` and sixteen digits. */
  minActiveRowversion: string;
}

/** A cell by its column's name, as SQL Server shows it. */
export type CellOf = (column: string) => string | null;

const COMPARISON =
  /^\[((?:[^\]]|\]\])+)\] (?:(is null)|(<=|<|>) (?:convert\((\w+(?:\(\d\))?), N'([^']*)', \d+\)|(min_active_rowversion\(\))|cast\(dateadd\(second, -(\d+), sysdatetime\(\)\) as [\w()]+\)))$/;

/** `condition` is what follows WHERE. */
export function holds(condition: string, cellOf: CellOf, moment: Moment): boolean {
  const inner = condition.startsWith('(') && condition.endsWith(')') ? condition.slice(1, -1) : condition;
  return inner.split(' or ').some((all) => all.split(' and ').every((part) => isTrue(part, cellOf, moment)));
}

function isTrue(part: string, cellOf: CellOf, { now, minActiveRowversion }: Moment): boolean {
  const [matched, name = '', isNull, operator, , literal, active, seconds] = COMPARISON.exec(part) ?? [];
  if (matched === undefined) throw new Error(`the test server does not know the condition ${part}`);
  const cell = cellOf(name.replaceAll(']]', ']'));
  if (isNull !== undefined) return cell === null;
  if (cell === null) return false;
  const bound = literal ?? (active === undefined ? earlier(now, Number(seconds)) : minActiveRowversion);
  const [left, right] = [comparable(cell), comparable(bound)];
  if (operator === '<=') return left <= right;
  return operator === '<' ? left < right : left > right;
}

/** The greatest of `cells` as CONVERT shows it; null where there is none. */
export function greatest(cells: (string | null)[]): string | null {
  const texts = cells.filter((cell) => cell !== null).map(comparable);
  return texts.sort().at(-1) ?? null;
}

/** Times of seven digits and upper-case bytes, whose texts sort as their values do. */
export function comparable(text: string): string {
  if (text.startsWith('0x')) return `0x${text.slice(2).toUpperCase()}`;
  const [clock = '', fraction = ''] = text.split('.');
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(clock)) throw new Error(`the test server does not compare ${text}`);
  return `${clock}.${fraction.padEnd(7, '0')}`;
}

function earlier(now: string, seconds: number): string {
  const [clock = '', fraction = ''] = comparable(now).split('.');
  const then = new Date(Date.parse(`${clock.replace(' ', 'T')}Z`) - seconds * 1000).toISOString();
  return `${then.slice(0, 19).replace('T', ' ')}.${fraction}`;
}
