/** Columns that tell every row of a sample apart: a suggestion, which publishing checks over the whole table. */
import type { ColumnProfile } from './column-profile.ts';

/** Sets of columns are tried among the first so many that are never null. */
const COLUMNS_TRIED_MAX = 14;
const SET_COLUMNS_MAX = 3;
/** Found first among columns that would each do. */
const keyLike = /(?:^|_)(?:id|no|code|key|uuid|serial|num)$|编号|代码|编码|序号|号码/i;

/** The smallest set; undefined where even all columns together do not tell the rows apart. */
export function candidateKey(profiles: ColumnProfile[], rows: number): string[] | undefined {
  const plain = profiles.filter((profile) => profile.hashes !== undefined);
  if (plain.length === 0) return undefined;
  if (rows === 0) return [(plain.find(({ name }) => keyLike.test(name)) ?? plain[0]!).name];
  const whole = plain.filter(({ nulls }) => nulls === 0).sort((a, b) => rank(a) - rank(b));
  const tried = whole.slice(0, COLUMNS_TRIED_MAX);
  for (let size = 1; size <= SET_COLUMNS_MAX; size++) {
    for (const set of setsOf(size === 1 ? whole : tried, size)) if (tellsApart(set, rows)) return inOrder(set, plain);
  }
  return whole.length > 0 && tellsApart(whole, rows) ? inOrder(whole, plain) : undefined;
}

/** Named like a key, then by how many values there are; floats last: equal numbers may be written unequally. */
function rank({ name, distinct, range, specials }: ColumnProfile): number {
  const fractional = specials > 0 || (range !== undefined && !Number.isInteger(range.low)) ? 4 : 0;
  return (keyLike.test(name) ? 0 : 1) + (distinct === 'many' ? 0 : 2) + fractional;
}

/** Names in the order of the table's columns. */
function inOrder(set: ColumnProfile[], columns: ColumnProfile[]): string[] {
  return columns.filter((column) => set.includes(column)).map(({ name }) => name);
}

function* setsOf<T>(items: T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield [];
  else
    for (let i = from; i <= items.length - size; i++) {
      for (const rest of setsOf(items, size - 1, i + 1)) yield [items[i]!, ...rest];
    }
}

function tellsApart(set: ColumnProfile[], rows: number): boolean {
  const seen = new Set<number | string>();
  for (let row = 0; row < rows; row++) {
    const key = set.length === 1 ? set[0]!.hashes![row]! : set.map(({ hashes }) => hashes![row]).join();
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}
