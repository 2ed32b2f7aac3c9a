import { type Field, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { compileContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { isHuitongError } from '../../lib/errors.ts';

/** Columns by name: the Arrow type and the cells, null for null. */
type Columns = Record<string, [type: arrow.DataType, cells: unknown[], metadata?: Map<string, string>]>;

function batchOf(columns: Columns): RecordBatch {
  const names = Object.keys(columns);
  const fields: Field[] = names.map((name) => new arrow.Field(name, columns[name]![0], true, columns[name]![2]));
  const children = names.map((name) => vectorFromArray(columns[name]![1], columns[name]![0]).data[0]!);
  const length = children[0]?.length ?? 0;
  const data = arrow.makeData({ type: new Struct(fields), length, nullCount: 0, children });
  return new RecordBatch(new Schema(fields), data);
}

function contract(properties: Record<string, unknown>, rest: Partial<ContractDocument> = {}): ContractDocument {
  return { version: '1.0.0', key: [Object.keys(properties)[0]!], type: 'object', properties, ...rest };
}

function errorsOf(document: ContractDocument, columns: Columns): string[] {
  const batch = batchOf(columns);
  const verdict = compileContract(document, batch.schema).check(batch);
  const errors = verdict.errors();
  expect(new Set(errors.map((e) => e.row)).size).toBe(verdict.failed);
  return errors.map((e) => `${e.row} ${e.pointer} ${e.code}`);
}

function refusal(document: ContractDocument, columns: Columns): string[] {
  try {
    compileContract(document, batchOf(columns).schema);
  } catch (e) {
    if (isHuitongError(e)) {
      return (e.problems ?? []).map((p) => `${p.code} ${p.pointer}`);
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
      id: [new arrow.Int64(), [1n, 0n, 3n, null]],
      name: [new Utf8(), ['王小明', '王', 'abc', '李四']],
      id_no: [new Utf8(), ['11010519491231002X', null, '110105194912310021', '11010519491231002X']],
      district: [new Utf8(), ['440309', '440303', '440309', '999999']],
      born: [new arrow.DateDay(), [new Date('2000-01-01'), new Date('2030-01-01'), new Date('2025-12-31'), null]],
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
    const batch = batchOf({ id: [new arrow.Int32(), [1, 2, 3]] });
    const verdict = compileContract(contract({ id: { type: 'integer' } }), batch.schema).check(batch);
    expect([verdict.failed, verdict.mask, verdict.errors()]).toEqual([0, null, []]);
  });

  it('refuses what does not fit the source, all findings at once', () => {
    const document = contract(
      { id: { type: 'integer' }, name: { type: 'string', minimum: 3 }, gone: { type: 'string' } },
      { required: ['gone'] },
    );
    const columns: Columns = {
      id: [new Utf8(), ['1']],
      name: [new Utf8(), ['x']],
      extra: [new Utf8(), ['x']],
    };
    expect(refusal(document, columns).sort()).toEqual([
      'CONTRACT_MISMATCH /properties',
      'CONTRACT_MISMATCH /properties/gone',
      'CONTRACT_MISMATCH /properties/id/type',
      'CONTRACT_MISMATCH /properties/name/minimum',
      'CONTRACT_MISMATCH /required',
    ]);
  });
});
