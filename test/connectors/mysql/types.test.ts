import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { referencePath, typeReference } from '../../../connectors/mysql/reference.ts';
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
