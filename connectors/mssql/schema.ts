import { Field, Schema } from 'apache-arrow';
import type { ReadPlan } from '../connector.ts';
import { type MssqlPartition, mappingOfColumn } from './plan.ts';
import { arrowTypeOf, canBeUnrepresentable, extensionMetadata } from './types.ts';

/** A column is nullable in Arrow where the source says so, or where a cell may be unrepresentable. */
export function arrowSchema(plan: ReadPlan<MssqlPartition>): Schema {
  const fields = plan.columns.map((column) => {
    const mapping = mappingOfColumn(column);
    const nullable = column.nullable || canBeUnrepresentable(mapping);
    return new Field(column.name, arrowTypeOf(mapping), nullable, extensionMetadata(mapping));
  });
  return new Schema(fields);
}
