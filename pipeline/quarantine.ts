/**
 * Quarantined rows as Arrow: the row's own columns, and behind them what the owner needs to find and mend the row.
 *
 *   __row      struct { partition: uint32, ordinal: uint32 }: where it was read
 *   __key      utf8: JSON text of its key columns, an object
 *   __errors   utf8: JSON text, an array of { pointer, code }; never the offending value
 */
import { type Data, Field, makeData, RecordBatch, Schema, Struct, Uint32, Utf8, vectorFromArray } from 'apache-arrow';
import { filterBatch } from '../columnar/filter.ts';
import type { RowError } from '../contracts/contract.ts';
import { cellImage } from '../contracts/image.ts';
import { groupBy } from '../lib/group-by.ts';

const ROW_FIELDS = [new Field('partition', new Uint32(), false), new Field('ordinal', new Uint32(), false)];
const EXTRA_FIELDS = [
  new Field('__row', new Struct(ROW_FIELDS), false),
  new Field('__key', new Utf8(), false),
  new Field('__errors', new Utf8(), false),
];

export function quarantineSchema(schema: Schema): Schema {
  // A row that broke the contract may lack what the source calls not null: its cell may be unrepresentable.
  const fields = schema.fields.map((field) => new Field(field.name, field.type, true, field.metadata));
  return new Schema([...fields, ...EXTRA_FIELDS], schema.metadata);
}

export interface QuarantinedRows {
  batch: RecordBatch;
  /** 1 for each row that goes to quarantine. */
  mask: Uint8Array;
  /** Of those rows, by row. */
  errors: RowError[];
  partition: number;
  /** Of each row of the batch, as it was read. */
  ordinalOf(row: number): number;
  keyColumns: number[];
}

/** The quarantined rows of a batch under `quarantineSchema`, and how many have each code as their first error. */
export function quarantineBatch(rows: QuarantinedRows): { batch: RecordBatch; byCode: Record<string, number> } {
  const { batch, mask, partition } = rows;
  const errorsByRow = groupBy(rows.errors, (error) => error.row);
  const quarantined = [...mask.keys()].filter((row) => row < batch.numRows && mask[row] === 1);
  const byCode: Record<string, number> = {};
  const errorTexts = quarantined.map((row) => {
    const errors = (errorsByRow.get(row) ?? []).map(({ pointer, code }) => ({ pointer, code }));
    const first = errors[0]?.code ?? 'INVALID';
    byCode[first] = (byCode[first] ?? 0) + 1;
    return JSON.stringify(errors);
  });
  const keyTexts = keyTextsOf(batch, rows.keyColumns, quarantined);
  const children = [
    ...filterBatch(batch, mask, 1).data.children,
    rowData(
      quarantined.map(() => partition),
      quarantined.map(rows.ordinalOf),
    ),
    textData(keyTexts),
    textData(errorTexts),
  ];
  const schema = quarantineSchema(batch.schema);
  const type = new Struct(schema.fields);
  const data = makeData({ type, length: quarantined.length, nullCount: 0, children });
  return { batch: new RecordBatch(schema, data), byCode };
}

function keyTextsOf(batch: RecordBatch, columns: number[], rows: number[]): string[] {
  const members = columns.map((position) => {
    const field = batch.schema.fields[position]!;
    const data = batch.data.children[position]!;
    return { name: JSON.stringify(field.name), image: cellImage(field), data };
  });
  return rows.map((row) => {
    const texts = members.map(({ name, image, data }) => {
      const text = image === null || !data.getValid(row) ? 'null' : image.text(data, row);
      return `${name}:${text}`;
    });
    return `{${texts.join(',')}}`;
  });
}

function rowData(partitions: number[], ordinals: number[]): Data {
  const children = [partitions, ordinals].map((values) =>
    makeData({ type: new Uint32(), data: Uint32Array.from(values), nullCount: 0 }),
  );
  return makeData({ type: new Struct(ROW_FIELDS), length: ordinals.length, nullCount: 0, children });
}

function textData(texts: string[]): Data {
  return vectorFromArray(texts, new Utf8()).data[0]!;
}
