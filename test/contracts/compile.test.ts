import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { compileContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { batchOf, contract, type TestColumns } from './support/batches.ts';

const text = (...cells: (string | null)[]) => ({ type: new arrow.Utf8(), cells });
const int64 = (...cells: (bigint | null)[]) => ({ type: new arrow.Int64(), cells });
const days = (...cells: (string | null)[]) => ({
  type: new arrow.DateDay(),
  cells: cells.map((cell) => cell && Date.parse(cell) / 86_400_000),
});

function errorsOf(document: ContractDocument, columns: TestColumns): string[] {
  const batch = batchOf(columns);
  const verdict = compileContract(document, batch.schema).check(batch);
  const errors = verdict.errors();
  expect(new Set(errors.map((e) => e.row)).size).toBe(verdict.failed);
  return errors.map((e) => `${e.row} ${e.pointer} ${e.code}`);
}

function refusal(document: ContractDocument, columns: TestColumns): string[] {
  try {
    compileContract(document, batchOf(columns).schema);
  } catch (e) {
    if (isHuitongError(e)) {
      return (e.problems ?? []).map((p) => `${p.code} ${p.pointer}`).sort();
    }
    throw e;
  }
  return [];
}

describe('compileContract', () => {
  it('finds each broken keyword with its row, pointer and code', () => {
    const document = contract({
      id: { type: 'integer', minimum: 1 },
      name: { type: 'string', minLength: 2, maxLength: 4, pattern: '^[\\u4e00-\\u9fff]+$' },
      id_no: { type: ['string', 'null'], format: 'resident-id' },
      district: { enum: ['440309', '440303'] },
      born: { type: 'string', format: 'date', formatMaximum: '2025-12-31' },
    });
    const errors = errorsOf(document, {
      id: int64(1n, 0n, 3n, null),
      name: text('王小明', '王', 'abc', '李四'),
      id_no: text('11010519491231002X', null, '110105194912310021', '11010519491231002X'),
      district: text('440309', '440303', '440309', '999999'),
      born: days('2000-01-01', '2030-01-01', '2025-12-31', null),
    });
    expect(errors).toEqual([
      '1 /born FORMAT_MAXIMUM',
      '1 /id MINIMUM',
      '1 /name MIN_LENGTH',
      '2 /id_no FORMAT_RESIDENT_ID',
      '2 /name PATTERN',
      '3 /born TYPE',
      '3 /district ENUM',
      '3 /id KEY_NULL',
      '3 /id TYPE',
    ]);
  });

  it('passes good rows without a mask', () => {
    const batch = batchOf({ id: int64(1n, 2n) });
    const verdict = compileContract(contract({ id: { type: 'integer' } }), batch.schema).check(batch);
    expect([verdict.failed, verdict.mask, verdict.errors()]).toEqual([0, null, []]);
  });

  it('explains if/then by what failed in the branch, anyOf as a whole', () => {
    const document = contract(
      { id: { type: 'integer' }, phone: { type: ['string', 'null'] }, address: { type: ['string', 'null'] } },
      {
        anyOf: [{ properties: { phone: { type: 'string' } } }, { properties: { address: { type: 'string' } } }],
        if: { properties: { id: { minimum: 100 } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { phone: { minLength: 3 } } },
      },
    );
    const columns = { id: int64(1n, 100n, 3n), phone: text(null, '1', null), address: text('x', 'x', null) };
    expect(errorsOf(document, columns)).toEqual(['1 /phone MIN_LENGTH', '2  ANY_OF']);
  });

  it('compares int64 and decimal cells exactly', () => {
    const document = contract({
      id: { type: 'integer', maximum: 9_007_199_254_740_991 },
      amount: { type: 'number', multipleOf: 0.01, exclusiveMaximum: 100 },
    });
    const errors = errorsOf(document, {
      id: int64(9_007_199_254_740_991n, 9_007_199_254_740_992n, 9_223_372_036_854_775_807n),
      amount: { type: new arrow.Decimal(4, 38), cells: [999_900n, 999_999n, 10n ** 37n] },
    });
    expect(errors).toEqual(['1 /amount MULTIPLE_OF', '1 /id MAXIMUM', '2 /amount EXCLUSIVE_MAXIMUM', '2 /id MAXIMUM']);
  });

  it('fails NaN and infinities by type, and text that is not UTF-8', () => {
    const document = contract({ name: { type: 'string' }, x: { type: 'number' } });
    const batch = batchOf({
      name: text('好', '人', 'ok', 'ok'),
      x: { type: new arrow.Float64(), cells: [1.5, Number.NaN, Number.POSITIVE_INFINITY, 0] },
    });
    const names = batch.data.children[0]!;
    // Cuts the first character: its last byte now opens the second cell. The whole buffer stays valid UTF-8.
    names.valueOffsets[1] = 2;
    const errors = compileContract(document, batch.schema).check(batch).errors();
    expect(errors.map((e) => `${e.row} ${e.pointer} ${e.code}`)).toEqual([
      '0 /name INVALID_TEXT',
      '1 /name INVALID_TEXT',
      '1 /x TYPE',
      '2 /x TYPE',
    ]);
  });

  it('sends lists and structs through ajv, with pointers into them', () => {
    const item = new arrow.Field('item', new arrow.Int32(), true);
    const door = new arrow.Struct([new arrow.Field('no', new arrow.Utf8(), true)]);
    const document = contract({
      id: { type: 'integer' },
      doses: { type: 'array', items: { type: 'integer', minimum: 1 }, uniqueItems: true },
      door: { type: 'object', properties: { no: { type: 'string', pattern: '^[0-9]+$' } } },
    });
    const errors = errorsOf(document, {
      id: int64(1n, 2n, 3n),
      doses: {
        type: new arrow.List(item),
        cells: [
          [1, 2],
          [1, 0],
          [4, 4],
        ],
      },
      door: { type: door, cells: [{ no: '12' }, { no: 'x' }, null] },
    });
    expect(errors).toEqual(['1 /door/no PATTERN', '1 /doses/1 MINIMUM', '2 /door TYPE', '2 /doses UNIQUE_ITEMS']);
  });

  it('judges a slice as it judges its rows in the whole', () => {
    const document = contract({ id: { type: ['integer', 'null'], minimum: 0 }, ok: { enum: [true, null] } });
    const cells = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? null : BigInt(i % 5) - 1n));
    const flags = Array.from({ length: 40 }, (_, i) => (i % 11 === 0 ? null : i % 3 !== 0));
    const batch = batchOf({ id: int64(...cells), ok: { type: new arrow.Bool(), cells: flags } });
    const compiled = compileContract({ ...document, key: ['id'] }, batch.schema);
    const whole = compiled.check(batch).errors();
    const slice = compiled.check(batch.slice(3, 31)).errors();
    expect(slice.length).toBeGreaterThan(10);
    expect(slice.map((e) => ({ ...e, row: e.row + 3 }))).toEqual(whole.filter((e) => e.row >= 3 && e.row < 31));
  });
});

describe('cells that Arrow cannot hold', () => {
  const cell = { row: 1, column: 1, code: 'NOT_A_NUMBER' as const };
  const judge = (policy?: string) => {
    const price = { type: ['number', 'null'], ...(policy && { 'x-unrepresentable': policy }) };
    const batch = batchOf({ id: int64(1n, 2n), price: { type: new arrow.Decimal(2, 10), cells: [5n, null] } });
    return compileContract(contract({ id: { type: 'integer' }, price }), batch.schema).check(batch, [cell]);
  };

  it('fail their row by default, with their own code', () => {
    expect(judge().errors()).toEqual([{ row: 1, pointer: '/price', code: 'NOT_A_NUMBER' }]);
    expect(judge('quarantine').failed).toBe(1);
  });

  it('are null where the contract says so', () => {
    expect(judge('null').failed).toBe(0);
  });

  it('reject the run where the contract says so', () => {
    expect(() => judge('reject')).toThrow(expect.objectContaining({ code: 'UNREPRESENTABLE', pointer: '/price' }));
  });
});

describe('what is refused before a row is read', () => {
  it('names everything that does not fit the source, at once', () => {
    const document = contract(
      { id: { type: 'integer' }, name: { type: 'string', minimum: 3 }, gone: { type: 'string' } },
      { required: ['gone'], key: ['id', 'nokey'] },
    );
    expect(refusal(document, { id: text('1'), name: text('x'), extra: text('x') })).toEqual([
      'CONTRACT_MISMATCH /key/1',
      'CONTRACT_MISMATCH /properties',
      'CONTRACT_MISMATCH /properties/gone',
      'CONTRACT_MISMATCH /properties/id/type',
      'CONTRACT_MISMATCH /properties/name/minimum',
      'CONTRACT_MISMATCH /required',
    ]);
  });

  it('lets undeclared columns in where additionalProperties does', () => {
    const columns = { id: text('1'), extra: text('x') };
    const properties = { id: { type: 'string' } };
    expect(refusal(contract(properties, { additionalProperties: true }), columns)).toEqual([]);
    expect(refusal(contract(properties, { additionalProperties: false }), columns)).toHaveLength(1);
  });

  it.each([
    ['an unknown keyword', { minimun: 3 }, 'CONTRACT_INVALID /properties/id/minimun'],
    ['an unknown format', { format: 'residentid' }, 'CONTRACT_INVALID /properties/id/format'],
    ['a broken expression', { pattern: '(' }, 'CONTRACT_INVALID /properties/id/pattern'],
    ['a back-reference', { pattern: '(a)\\1' }, 'SCHEMA_UNSAFE /properties/id/pattern'],
    ['a look-around', { pattern: '(?=a)b' }, 'SCHEMA_UNSAFE /properties/id/pattern'],
    ['a remote reference', { $ref: 'https://example.org/x' }, 'SCHEMA_UNSAFE /properties/id/$ref'],
    ['a reference to nothing', { $ref: '#/$defs/none' }, 'CONTRACT_INVALID /properties/id/$ref'],
    ['a reference to itself', { $ref: '#/properties/id' }, 'SCHEMA_UNSAFE /properties/id/$ref'],
    ['$data', { maxLength: { $data: '1/x' } }, 'SCHEMA_UNSAFE /properties/id/maxLength/$data'],
    ['a wrong value', { minLength: -1 }, 'CONTRACT_INVALID /properties/id/minLength'],
    ['an unknown policy', { 'x-unrepresentable': 'ignore' }, 'CONTRACT_INVALID /properties/id/x-unrepresentable'],
    ['a limit without its format', { formatMaximum: '2020-01-01' }, 'CONTRACT_INVALID /properties/id/formatMaximum'],
    [
      'a limit that is no date',
      { format: 'date', formatMaximum: '2020-02-30' },
      'CONTRACT_INVALID /properties/id/formatMaximum',
    ],
  ])('%s', (_name, property, finding) => {
    expect(refusal(contract({ id: property }), { id: text('1') })).toContain(finding);
  });

  it('a document without key or version', () => {
    const found = refusal(contract({ id: true }, { key: [], version: '1' }), { id: text('1') });
    expect(found).toEqual(['CONTRACT_INVALID /key', 'CONTRACT_INVALID /version']);
  });
});

describe('routes', () => {
  it('tell how each keyword is decided', () => {
    const document = contract(
      { id: { type: 'string', format: 'email' }, born: { format: 'date', pattern: '^2' } },
      { required: ['id'] },
    );
    const { routes } = compileContract(document, batchOf({ id: text('a'), born: days('2020-01-01') }).schema);
    expect(Object.fromEntries(routes.map((r) => [r.pointer, r.route]))).toEqual({
      '/required': 'static',
      '/type': 'static',
      '/properties/id/type': 'columns',
      '/properties/id/format': 'rows',
      '/properties/born/format': 'columns',
      '/properties/born/pattern': 'rows',
    });
  });
});
