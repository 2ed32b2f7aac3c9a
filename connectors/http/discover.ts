import { describedColumn } from '../columns.ts';
import type { SourceTable } from '../connector.ts';
import { assertConfig, type HttpConfig, type HttpTable } from './config.ts';
import { types } from './types.ts';

/** What the definition declares: an API does not tell. */
export async function discover(config: HttpConfig): Promise<SourceTable[]> {
  assertConfig(config);
  return config.tables.map((table) => ({
    name: table.name,
    kind: 'foreign',
    columns: columnsOf(table).map((column) => describedColumn(types, column)),
    primaryKey: table.unique ?? [],
    uniqueKeys: table.unique === undefined ? [] : [table.unique],
    ...(table.comment === undefined ? {} : { comment: table.comment }),
  }));
}

/** Every cell may be absent from its record. */
export function columnsOf(table: HttpTable) {
  return table.columns.map(({ name, comment, ...type }) => ({
    name,
    type,
    sourceType: type.type === 'decimal' ? `decimal(${type.precision},${type.scale})` : (type.type ?? 'undeclared'),
    nullable: true,
    ...(comment === undefined ? {} : { comment }),
  }));
}
