import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { referencePath, typeReference } from '../../../connectors/mysql/reference.ts';
import { serverOf } from '../../../connectors/mysql/session.ts';
import { mappingOf, types } from '../../../connectors/mysql/types.ts';

const plain = { unsigned: false, precision: 0, scale: 0 };

test('the reference is what the type table says', async () => {
  expect(await readFile(referencePath, 'utf8')).toBe(typeReference());
});

test('a type that is not in the table is refused, and an override reads it as text', () => {
  const vector = { ...plain, name: 'vector' };
  expect(mappingOf(vector)).toBeUndefined();
  expect(types.overridden(vector, undefined, { as: 'text' })).toEqual({ codec: 'text', cast: 'text' });
  expect(types.overridden(vector, undefined, { as: 'decimal', precision: 9, scale: 2 })).toBeUndefined();
});

test('a decimal may become wider, and of more than 38 digits narrower, with each cell looked at', () => {
  const decimal = (precision: number, scale: number) => ({ ...plain, name: 'decimal', precision, scale });
  const wish = (precision: number, scale: number) => ({ as: 'decimal', precision, scale }) as const;
  expect(types.overridden(decimal(10, 2), undefined, wish(12, 4))).toMatchObject({ cast: 'decimal' });
  expect(types.overridden(decimal(10, 2), undefined, wish(12, 5))).toBeUndefined();
  expect(types.overridden(decimal(10, 2), undefined, wish(39, 2))).toBeUndefined();
  expect(types.overridden(decimal(65, 30), undefined, wish(38, 2))).toMatchObject({ cast: 'none', isNarrow: true });
});

test.each([
  ['10.11.6-MariaDB-0+deb12u1', 'Debian 12', 'MariaDB 10.11.6'],
  ['5.5.5-10.6.12-MariaDB-log', 'mariadb.org binary distribution', 'MariaDB 10.6.12'],
  ['8.0.36', 'MySQL Community Server - GPL', 'MySQL 8.0.36'],
  ['8.0.11-TiDB-v7.5.0', 'TiDB Server (Apache License 2.0)', 'TiDB 7.5.0'],
  ['5.7.25-OceanBase_CE-v4.2.1.0', 'OceanBase_CE 4.2.1.0 (r1)', 'OceanBase 4.2.1.0'],
])('%s is %3$s', (version, remark, title) => {
  expect(serverOf(version, remark).title).toBe(title);
});
