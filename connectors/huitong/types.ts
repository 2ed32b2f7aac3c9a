/** A far dataset's columns are Arrow's own: each keeps its type, its metadata and whether it may be null. */
import { type Field, Schema } from 'apache-arrow';
import { readSchemaMessage, schemaMessage } from '../../columnar/message.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { CatalogColumn, TypeTable } from '../columns.ts';

/** Plain data, kept in the plan: the field as an Arrow schema message of one field, in base64. */
export interface FieldMapping {
  field: string;
}

export const types: TypeTable<Field, FieldMapping> = {
  mappingOf: (field) => ({ field: Buffer.from(schemaMessage(new Schema([field]))).toString('base64') }),
  // Columns pass as they are; only what is so already can be asked for.
  overridden: (field, natural, wish) => (wish.as === 'text' && String(field.type) === 'Utf8' ? natural : undefined),
  arrowTypeOf: (mapping) => fieldOf(mapping).type,
  metadataOf: (mapping) => fieldOf(mapping).metadata,
};

function fieldOf({ field }: FieldMapping): Field {
  const found = readSchemaMessage(Buffer.from(field, 'base64')).fields[0];
  if (found === undefined) throw new HuitongError('ARROW_INVALID', 'the plan names a column without a type');
  return found;
}

/** @param titles what the far catalog says of its items, by name */
export function columnsOf(schema: Schema, titles: Map<string, string>): CatalogColumn<Field>[] {
  return schema.fields.map((field) => {
    const comment = titles.get(field.name);
    return {
      name: field.name,
      type: field,
      sourceType: String(field.type),
      nullable: field.nullable,
      ...(comment === undefined ? {} : { comment }),
    };
  });
}
