/** The sample table with a key before it, and what a bulk read gives of it. */
import { Field, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { rowTexter } from '../../../../contracts/image.ts';
import { compilePolicy } from '../../../../exchange/access/policy/compile.ts';
import type { Policy } from '../../../../exchange/access/policy/policy.ts';

export const KEY = '证件号';

export const keyOf = (row: number) => `44030619900101${String(row).padStart(4, '0')}`;

/** @param numbers of the keys; absent: 0, 1, 2 … */
export function withKey(batch: RecordBatch, numbers = Array.from({ length: batch.numRows }, (_, row) => row)) {
  const keys = numbers.map(keyOf);
  const key =
    keys.length === 0 ? makeData({ type: new Utf8(), length: 0 }) : vectorFromArray(keys, new Utf8()).data[0]!;
  return batchFrom([new Field(KEY, new Utf8(), false), ...batch.schema.fields], [key, ...batch.data.children]);
}

function batchFrom(fields: Field[], children: RecordBatch['data']['children']): RecordBatch {
  const length = children[0]!.length;
  const schema = new Schema(fields);
  return new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children }));
}

/** The rows that are given, in order, as JSON text. */
export function bulkRows(batch: RecordBatch, policy: Policy, maskKey: Uint8Array): string[] {
  const compiled = compilePolicy(policy, batch.schema, maskKey);
  const places = compiled.reads.map((name) => batch.schema.fields.findIndex((field) => field.name === name));
  const read = batchFrom(
    places.map((place) => batch.schema.fields[place]!),
    places.map((place) => batch.data.children[place]!),
  );
  const shown = compiled.apply(read);
  const text = rowTexter(compiled.schema);
  return Array.from({ length: shown.numRows }, (_, row) => text(shown.data.children, row));
}
