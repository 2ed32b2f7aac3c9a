import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { mssql } from '../../../connectors/mssql/index.ts';
import { referencePath, typeReference } from '../../../connectors/mssql/reference.ts';
import { arrowTypeOf, mappingOf, typeTable } from '../../../connectors/mssql/types.ts';
import type { FakeDatabase } from '../../support/tds/database.ts';
import { fixedCases, type TypeCase, typeCases } from './cases.ts';
import { quiet, readTexts, withDatabase } from './support.ts';

interface Expected {
  names: string[];
  rows: (string | null)[][];
}

/** A table with a column a case; as many rows as the longest case has values, and a row of nulls where it may have. */
function tableOf(cases: TypeCase[], nullable: boolean): { database: FakeDatabase; expected: Expected } {
  const count = Math.max(...cases.map(({ values }) => values.length));
  const names = cases.map(({ declared }, i) => `c${i} ${declared}`);
  const rows: (string | null)[][] = Array.from({ length: count }, (_, row) =>
    cases.map(({ values }) => values[row % values.length] ?? null),
  );
  const columns = cases.map(({ declared, type, codePage }, i) => ({
    name: names[i] ?? '',
    declared,
    type,
    nullable,
    ...(codePage === undefined ? {} : { codePage }),
  }));
  if (nullable) rows.push(cases.map(() => null));
  const expectedCells = (cell: string | null, i: number) => {
    const text = cell === null ? null : (cases[i]?.expected?.(cell) ?? cell);
    if (Array.isArray(text)) return text;
    return /^(datetime2|datetimeoffset)\(7\)/.test(cases[i]?.declared ?? '') ? [text, null] : [text];
  };
  const expectedNames = names.flatMap((name) =>
    /\((7)\)$/.test(name) && !name.includes(' time') ? [name, `${name}__ns100`] : [name],
  );
  return {
    database: { tables: [{ name: 'torture', columns, rows }] },
    expected: { names: expectedNames, rows: rows.map((row) => row.flatMap(expectedCells)) },
  };
}

for (const useNbcRows of [false, true]) {
  test(`every type keeps every value, in ${useNbcRows ? 'NBCROW' : 'ROW'}`, async () => {
    const { database, expected } = tableOf(typeCases, true);
    await withDatabase({ ...database, useNbcRows }, async (config) => {
      const { names, rows, unrepresentable } = await readTexts(config, { table: { name: 'torture' } });
      expect(names).toEqual(expected.names);
      expect(rows).toEqual(expected.rows);
      expect(unrepresentable).toEqual([]);
    });
  });
}

test('types of columns that are NOT NULL, whose cells have no length', async () => {
  const { database, expected } = tableOf(fixedCases, false);
  await withDatabase(database, async (config) => {
    expect((await readTexts(config, { table: { name: 'torture' } })).rows).toEqual(expected.rows);
  });
});

test('every type of the server is in the table: mapped, or refused by name', () => {
  // select name from sys.types where is_user_defined = 0, SQL Server 2022.
  const served =
    'bigint binary bit char date datetime datetime2 datetimeoffset decimal float geography geometry hierarchyid image int money nchar ntext numeric nvarchar real smalldatetime smallint smallmoney sql_variant sysname text time timestamp tinyint uniqueidentifier varbinary varchar xml';
  const known = new Set(typeTable.flatMap(({ rows }) => rows.flatMap((row) => row.types)));
  expect(served.split(' ').filter((name) => !known.has(name))).toEqual([]);
  for (const name of served.split(' ')) {
    const type = { name, length: 8, precision: 18, scale: 2, codePage: 1252, isClr: false, isEncrypted: false };
    const mapping = mappingOf(type);
    expect(mapping, name).toBeDefined();
    expect(String(mapping && arrowTypeOf(mapping)), name).not.toBe('');
  }
});

test('what is refused is named at planning, all at once; skip and text say what to do', async () => {
  const text = typeCases.find(({ declared }) => declared === 'nvarchar(max)') as TypeCase;
  const number = typeCases.find(({ declared }) => declared === 'int') as TypeCase;
  const columns = [
    { name: 'id', declared: 'int', type: number.type },
    { name: '坐标', declared: 'Point3D', type: text.type, isClr: true },
    { name: 'secret', declared: 'int', type: number.type, isEncrypted: true },
  ];
  await withDatabase({ tables: [{ name: 'refused', columns, rows: [['1', 'here', '2']] }] }, async (config) => {
    const snapshot = await mssql.openSnapshot(config, quiet());
    const table = { name: 'refused' };
    await expect(mssql.plan(snapshot, { table }, { partitions: 1 })).rejects.toMatchObject({
      code: 'TYPE_UNMAPPED',
      message: expect.stringMatching(/坐标 \(Point3D\), secret \(int\)/),
    });
    await snapshot.close();
    const overrides = { 坐标: { as: 'text' as const }, secret: { as: 'skip' as const } };
    const { names, rows } = await readTexts(config, { table, overrides });
    expect(names).toEqual(['id', '坐标']);
    expect(rows).toEqual([['1', 'here']]);
  });
});

test('the reference is what the type table says', async () => {
  expect(await readFile(referencePath, 'utf8')).toBe(typeReference());
});
