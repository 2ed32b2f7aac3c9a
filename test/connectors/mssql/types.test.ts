import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { mssql } from '../../../connectors/mssql/index.ts';
import { referencePath, typeReference } from '../../../connectors/mssql/reference.ts';
import { arrowTypeOf, mappingOf, typeTable } from '../../../connectors/mssql/types.ts';
import { brokenCases, fixedCases, type TypeCase, typeCases } from './cases.ts';
import { quiet, readTexts, withDatabase } from './support.ts';
import { rowsOf, tortureOf } from './torture.ts';

for (const useNbcRows of [false, true]) {
  test(`every type keeps every value, in ${useNbcRows ? 'NBCROW' : 'ROW'}`, async () => {
    const torture = tortureOf('torture', [...typeCases, ...brokenCases], true);
    await withDatabase({ tables: [torture.table], useNbcRows }, async (config) => {
      const { names, rows, unrepresentable } = await readTexts(config, { table: { name: 'torture' } });
      expect(names).toEqual(Object.keys(torture.expected));
      expect(rows).toEqual(rowsOf(torture));
      const refused = unrepresentable.map(({ column, ...cell }) => ({ ...cell, column: names[column] ?? '' }));
      expect(refused).toHaveLength(torture.unrepresentable.length);
      expect(refused).toEqual(expect.arrayContaining(torture.unrepresentable));
    });
  });
}

test('types of columns that are NOT NULL, whose cells have no length', async () => {
  const torture = tortureOf('torture', fixedCases, false);
  await withDatabase({ tables: [torture.table] }, async (config) => {
    expect((await readTexts(config, { table: { name: 'torture' } })).rows).toEqual(rowsOf(torture));
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
