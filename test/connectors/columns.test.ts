import { Decimal, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import {
  arrowSchemaOf,
  describedColumn,
  keysWithin,
  mapColumns,
  plannedColumn,
  type TypeTable,
} from '../../connectors/columns.ts';
import type { TableRequest } from '../../connectors/connector.ts';

interface Mapping {
  as: 'text' | 'decimal';
  scale?: number;
}

const types: TypeTable<string, Mapping> = {
  mappingOf: (type) => (type === 'text' || type === 'decimal' ? { as: type } : undefined),
  overridden: (_type, natural, wish) => {
    if (wish.as === 'decimal') return natural?.as === 'decimal' ? { as: 'decimal', scale: wish.scale } : undefined;
    return { as: 'text' };
  },
  arrowTypeOf: ({ as, scale }) => (as === 'text' ? new Utf8() : new Decimal(scale ?? 0, 38, 128)),
  canBeUnrepresentable: ({ as }) => as === 'decimal',
};
const column = (name: string, type: string) => ({ name, type, sourceType: type.toUpperCase(), nullable: false });
const columns = [column('姓名', 'text'), column('sum', 'decimal'), column('where', 'point'), column('left', 'path')];
const map = (request: Omit<TableRequest, 'table'>) =>
  mapColumns(types, columns, request, 'people').map(({ column, mapping }) => [column.name, mapping]);

test('unmapped types are refused all at once, by column and type; overrides and skips let them pass', () => {
  const refused = {
    code: 'TYPE_UNMAPPED',
    at: 'people',
    message: 'columns whose type is not mapped, or not as asked for: where (POINT), left (PATH)',
    problems: [
      { code: 'TYPE_UNMAPPED', message: 'where: POINT', at: 'people.where' },
      { code: 'TYPE_UNMAPPED', message: 'left: PATH', at: 'people.left' },
    ],
  };
  expect(() => map({})).toThrow(expect.objectContaining(refused));
  expect(map({ overrides: { where: { as: 'skip' }, left: { as: 'text' } } })).toEqual([
    ['姓名', { as: 'text' }],
    ['sum', { as: 'decimal' }],
    ['left', { as: 'text' }],
  ]);
});

test('a wish that cannot be met is refused, one that can is followed', () => {
  const wish = { as: 'decimal', precision: 10, scale: 2 } as const;
  expect(map({ columns: ['sum'], overrides: { sum: wish } })).toEqual([['sum', { as: 'decimal', scale: 2 }]]);
  expect(() => map({ columns: ['姓名'], overrides: { 姓名: wish } })).toThrow(
    expect.objectContaining({ code: 'TYPE_UNMAPPED', message: expect.stringContaining('姓名 (TEXT)') }),
  );
});

test('columns come in the order of the request, each once; unknown ones are named, in overrides too', () => {
  expect(map({ columns: ['sum', '姓名', 'sum'] }).map(([name]) => name)).toEqual(['sum', '姓名']);
  expect(() => map({ columns: ['Sum'], overrides: { wher: { as: 'skip' } } })).toThrow(
    expect.objectContaining({ code: 'COLUMN_NOT_FOUND', message: 'the table has no columns Sum, wher' }),
  );
});

test('what discover shows, what a plan keeps, and the schema of both', () => {
  const [name, sum, where] = columns as [(typeof columns)[0], (typeof columns)[0], (typeof columns)[0]];
  expect(describedColumn(types, { ...name, comment: '居民姓名' })).toEqual({
    name: '姓名',
    sourceType: 'TEXT',
    nullable: false,
    comment: '居民姓名',
    arrowType: 'Utf8',
  });
  expect(describedColumn(types, where)).not.toHaveProperty('arrowType');
  const planned = [plannedColumn(name, { as: 'text' }), plannedColumn(sum, { as: 'decimal', scale: 2 })];
  const { fields } = arrowSchemaOf(types, { columns: planned });
  expect(fields.map((field) => [field.name, String(field.type), field.nullable])).toEqual([
    ['姓名', 'Utf8', false],
    ['sum', 'Decimal[38e+2]', true],
  ]);
  expect(keysWithin([['姓名'], ['姓名', 'left'], ['sum', '姓名']], planned)).toEqual([['姓名'], ['sum', '姓名']]);
});
