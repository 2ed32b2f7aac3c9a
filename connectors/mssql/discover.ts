import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import type { MssqlConfig } from './config.ts';
import { openConnection } from './connection.ts';
import * as relations from './relation.ts';
import { types } from './types.ts';

/** Tables and views that this user can read; ordered by schema and name. */
export async function discover(config: MssqlConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const connection = await openConnection(config, context);
  try {
    const tables = await relations.findRelations(connection);
    const ids = tables.map((table) => table.id);
    const columns = await relations.findColumns(connection, ids);
    const keys = await relations.findUniqueKeys(connection, ids);
    return tables.map((table) => describeTable(table, columns.get(table.id) ?? [], keys.get(table.id) ?? []));
  } finally {
    await connection.close();
  }
}

function describeTable(
  { schema, name, kind, rows, comment }: relations.Relation,
  columns: relations.RelationColumn[],
  keys: relations.UniqueKey[],
): SourceTable {
  return {
    schema,
    name,
    kind,
    columns: columns.map((column) => describedColumn(types, column)),
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    ...(rows === undefined ? {} : { rowsEstimate: rows }),
    ...(comment === undefined ? {} : { comment }),
  };
}
