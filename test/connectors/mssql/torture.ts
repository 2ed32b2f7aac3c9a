/** One table of many types, and what must stand in a batch of it. */
import type { Torture } from '../../../connectors/conformance/fixture.ts';
import type { FakeTable } from '../../support/tds/database.ts';
import type { TypeCase } from './cases.ts';

const hundreds = /^(datetime2|datetimeoffset)\(7\)$/;

export interface TortureTable {
  table: FakeTable;
  expected: Torture['expected'];
  unrepresentable: Torture['unrepresentable'];
}

/** A column a case; as many rows as the longest case has values, and a row of nulls where there may be one. */
export function tortureOf(name: string, cases: TypeCase[], nullable: boolean): TortureTable {
  const count = Math.max(...cases.map(({ values }) => values.length));
  const columns = cases.map(({ declared, type, codePage }, i) => ({
    name: `c${i} ${declared}`,
    declared,
    type,
    nullable,
    ...(codePage === undefined ? {} : { codePage }),
  }));
  const rows = Array.from({ length: count }, (_, row) =>
    cases.map(({ values }): string | null => values[row % values.length] ?? null),
  );
  if (nullable) rows.push(cases.map(() => null));
  const expected: Torture['expected'] = {};
  const unrepresentable: Torture['unrepresentable'] = [];
  for (const [i, one] of cases.entries()) {
    const column = columns[i]?.name ?? '';
    const cells = rows.map((row) => shown(one, row[i] ?? null));
    expected[column] = cells.map(([text]) => text);
    if (hundreds.test(one.declared)) expected[`${column}__ns100`] = cells.map(([, digit]) => digit);
    for (const [row, cells] of rows.entries()) {
      if (one.broken?.includes(cells[i] ?? '')) unrepresentable.push({ column, row, code: 'INVALID_TEXT' });
    }
  }
  return { table: { name, columns, rows }, expected, unrepresentable };
}

/** The cell's text, and that of its second column. */
function shown({ expected, broken }: TypeCase, value: string | null): [string | null, string | null] {
  if (value === null || broken?.includes(value)) return [null, null];
  const text = expected?.(value) ?? value;
  return Array.isArray(text) ? text : [text, null];
}

/** Row by row, as a reader gives them. */
export function rowsOf({ table, expected }: TortureTable): (string | null)[][] {
  return (table.rows ?? []).map((_, row) => Object.values(expected).map((cells) => cells[row] ?? null));
}
