import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import type { MssqlConfig } from './config.ts';
import { openConnection } from './connection.ts';
import * as relations from './relation.ts';
import { type CatalogType, types } from './types.ts';

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
    columns: columns.map((column) => {
      const maxLength = kind === 'foreign' ? undefined : lengthOf(column.type);
      return { ...describedColumn(types, column), ...(maxLength && { guarantees: { maxLength } }) };
    }),
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    ...(rows === undefined ? {} : { rowsEstimate: rows }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/**
 * The most characters of a declared length: `nvarchar(n)` counts UTF-16 code units and `varchar(n)` bytes, of which a
 * character has one or more.
 */
function lengthOf({ name, length, isClr }: CatalogType): number | undefined {
  if (isClr || length <= 0) return undefined;
  if (name === 'nchar' || name === 'nvarchar') return length / 2;
  return name === 'char' || name === 'varchar' ? length : undefined;
}
