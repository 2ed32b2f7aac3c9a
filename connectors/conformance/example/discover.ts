import { describedColumn, type SourceTable } from '../../index.ts';
import type { ExampleConfig } from './config.ts';
import { columnsOf, listTables } from './relation.ts';
import { types } from './types.ts';

/** Ordered by name. A file keeps nothing unique. */
export async function discover(config: ExampleConfig): Promise<SourceTable[]> {
  const tables: SourceTable[] = [];
  for (const name of await listTables(config)) {
    const columns = (await columnsOf(config, name)).map((column) => describedColumn(types, column));
    tables.push({ name, kind: 'table', columns, primaryKey: [], uniqueKeys: [] });
  }
  return tables;
}
