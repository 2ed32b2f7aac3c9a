import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { referencePath, typeReference } from '../../../connectors/postgres/reference.ts';
import { type CatalogType, mappingOf, typeTable } from '../../../connectors/postgres/types.ts';
import { withDatabase } from '../../support/postgres.ts';
import { execute } from './support.ts';

test('the reference is the type table', async () => {
  expect(await readFile(referencePath, 'utf8')).toBe(typeReference());
});

test('every base type of this server has a row, and only those', async () => {
  const { rows } = await withDatabase((url) =>
    execute(
      url,
      `select typname from pg_type where typtype = 'b' and typnamespace = 'pg_catalog'::regnamespace
          and not exists (select from pg_type e where e.typarray = pg_type.oid)`,
    ),
  );
  const listed = new Set(typeTable.flatMap((section) => section.rows.flatMap((row) => row.types)));
  expect(rows.map((row) => row.typname).filter((name) => !listed.has(name))).toEqual([]);
});

test('numeric takes precision and scale from its modifier', () => {
  const numeric: CatalogType = { name: 'numeric', builtIn: true, kind: 'base' };
  const modifier = (precision: number, scale: number) => ((precision << 16) | (scale & 0x7ff)) + 4;
  expect(mappingOf(numeric, modifier(10, 4), 2)).toMatchObject({ codec: 'numeric', precision: 10, scale: 4 });
  expect(mappingOf(numeric, modifier(2, -3), 2)).toMatchObject({ precision: 5, scale: 0 });
  expect(mappingOf(numeric, modifier(3, 5), 2)).toMatchObject({ precision: 5, scale: 5 });
  expect(mappingOf(numeric, modifier(39, 0), 2)).toEqual({ codec: 'text', cast: 'text' });
  expect(mappingOf(numeric, -1, 2)).toEqual({ codec: 'text', cast: 'text' });
});

test('a type of another schema is not taken for the built-in one of the same name', () => {
  const date: CatalogType = { name: 'date', builtIn: true, kind: 'base' };
  expect(mappingOf(date, -1, 2)).toEqual({ codec: 'date', cast: 'none' });
  expect(mappingOf({ ...date, builtIn: false }, -1, 2)).toBeUndefined();
});
