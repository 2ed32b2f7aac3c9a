import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import type { DeltaSharingConfig } from './config.ts';
import { SharingServer } from './sharing.ts';
import { columnsOf, types } from './types.ts';

/** Every table of every share; a table that only Delta's own format can give is left out by its metadata's error. */
export async function discover(config: DeltaSharingConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const server = new SharingServer(config, context);
  try {
    const tables: SourceTable[] = [];
    for await (const share of server.shares()) {
      for await (const table of server.tables(share)) {
        const { fields, description } = await server.metadata(table);
        tables.push({
          schema: `${table.share}.${table.schema}`,
          name: table.name,
          kind: 'foreign',
          columns: columnsOf(fields).map((column) => describedColumn(types, column)),
          primaryKey: [],
          uniqueKeys: [],
          ...(description === undefined ? {} : { comment: description }),
        });
      }
    }
    return tables;
  } finally {
    server.close();
  }
}
