import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import type { MysqlConfig } from './config.ts';
import { openConnection } from './connection.ts';
import { columnKey, findGuarantees, type GuaranteesByColumn } from './guarantees.ts';
import * as relations from './relation.ts';
import { types } from './types.ts';

/** Tables and views of the connection's database that this user can see, ordered by name. */
export async function discover(config: MysqlConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const connection = await openConnection(config, context);
  try {
    const { database } = connection.target;
    const tables = await relations.findRelations(connection);
    const columns = await relations.findColumns(connection, database);
    const keys = await relations.findUniqueKeys(connection, database);
    const guarantees = await findGuarantees(connection, database);
    return tables.map((table) =>
      describeTable(table, columns.get(table.name) ?? [], keys.get(table.name) ?? [], guarantees),
    );
  } finally {
    await connection.close();
  }
}

function describeTable(
  { schema, name, kind, rows, comment }: relations.Relation,
  columns: relations.RelationColumn[],
  keys: relations.UniqueKey[],
  guarantees: GuaranteesByColumn,
): SourceTable {
  return {
    schema,
    name,
    kind,
    columns: columns.map((column) => {
      // What another server or a file holds is not checked by this one.
      const guaranteed = kind === 'foreign' ? undefined : guarantees.get(columnKey(name, column.name));
      return { ...describedColumn(types, column), ...(guaranteed && { guarantees: guaranteed }) };
    }),
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    ...(rows === undefined ? {} : { rowsEstimate: rows }),
    ...(comment === undefined ? {} : { comment }),
  };
}
