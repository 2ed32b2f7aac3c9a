/**
 * The columns of two versions side by side. A column that both have with one type is compared as it is stored; where the
 * contract gave it another type, by its JSON image; one that only one of them has is told by name and not compared.
 */
import { Data, Field, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { builderFor } from '../../../columnar/builders/index.ts';
import { cellImage } from '../../../contracts/image.ts';

export interface DiffColumns {
  /** Every column of either: those of the later version first. All may be null. */
  schema: Schema;
  /** Places in `schema` of what both have. */
  compared: number[];
  added: string[];
  removed: string[];
  /** Shown, and compared, as text: their JSON image. */
  retyped: string[];
}

export function diffColumns(from: Schema, to: Schema): DiffColumns {
  const before = new Map(from.fields.map((field) => [field.name, field]));
  const after = new Set(to.fields.map(({ name }) => name));
  const retyped = to.fields.filter((field) => {
    const other = before.get(field.name);
    return other !== undefined && typeText(other) !== typeText(field);
  });
  const removed = from.fields.filter(({ name }) => !after.has(name));
  const fields = [...to.fields, ...removed].map((field) =>
    retyped.includes(field)
      ? new Field(field.name, new Utf8(), true)
      : new Field(field.name, field.type, true, field.metadata),
  );
  return {
    schema: new Schema(fields),
    compared: to.fields.flatMap(({ name }, place) => (before.has(name) ? [place] : [])),
    added: to.fields.filter(({ name }) => !before.has(name)).map(({ name }) => name),
    removed: removed.map(({ name }) => name),
    retyped: retyped.map(({ name }) => name),
  };
}

/** Equal where cells are stored, and meant, alike. */
export function typeText({ type, metadata }: Field): string {
  return `${type} ${metadata.get('ARROW:extension:name') ?? ''}`;
}

/** A batch of one of the versions with the columns of both. */
export function alignBatch(batch: RecordBatch, { schema, retyped }: DiffColumns): RecordBatch {
  const places = new Map(batch.schema.fields.map(({ name }, place) => [name, place]));
  const children = schema.fields.map((field) => {
    const place = places.get(field.name);
    if (place === undefined) return nulls(field, batch.numRows);
    const data = batch.data.children[place]!;
    return retyped.includes(field.name) ? imageText(batch.schema.fields[place]!, data) : data;
  });
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children));
}

function nulls({ type }: Field, rows: number): Data {
  const builder = builderFor(type);
  for (let row = 0; row < rows; row++) builder.appendNull();
  return builder.finish();
}

function imageText(field: Field, data: Data): Data {
  const image = cellImage(field);
  const texts = Array.from({ length: data.length }, (_, row) =>
    image === null || !data.getValid(row) ? null : image.text(data, row),
  );
  return vectorFromArray(texts, new Utf8()).data[0]!;
}
