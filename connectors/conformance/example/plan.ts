/** What is read of a table, and in which form. Reads no rows. */
import { mapColumns, type OpenSource, plannedColumn, type TablePlan, type TableRequest } from '../../index.ts';
import type { ExampleConfig } from './config.ts';
import { columnsOf } from './relation.ts';
import { type Mapping, types } from './types.ts';

/** A planned column's `mapping`: its type, and its place in a line. */
export type PlacedMapping = Mapping & { place: number };

/** Throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, TYPE_UNMAPPED. */
export async function plan({ config }: OpenSource<ExampleConfig>, request: TableRequest): Promise<TablePlan> {
  const { name } = request.table;
  const all = await columnsOf(config, name);
  const columns = mapColumns(types, all, request, name).map(({ column, mapping }) =>
    plannedColumn<PlacedMapping>(column, { ...mapping, place: all.indexOf(column) }),
  );
  return { table: { name }, columns, description: { format: 'tsv', order: 'of the file' }, uniqueKeys: [] };
}
