import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadRequest, SourceBatch } from '../connector.ts';
import type { WholeTable } from '../define.ts';
import { drifted } from '../drift.ts';
import type { MssqlConfig } from './config.ts';
import { openConnection } from './connection.ts';
import { RowDecoder } from './decode.ts';
import { mappingOfColumn, tableQuery } from './plan.ts';
import { quoteTable } from './relation.ts';
import { beginReading } from './snapshot.ts';
import { types } from './types.ts';

/** Reads the table in one stream, under what the plan guarantees. Throws SCHEMA_DRIFT, CELL_TOO_LARGE, CANCELLED. */
export async function* read(
  config: MssqlConfig,
  request: ReadRequest<WholeTable>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const at = quoteTable(partition.table);
  const columns = plan.columns.map((column) => {
    const { wire, typeInfo, ...mapping } = mappingOfColumn(column);
    return { name: column.name, mapping, wire, typeInfo };
  });
  const decoder = new RowDecoder(arrowSchemaOf(types, plan), columns, request, at);
  const connection = await openConnection(config, context);
  try {
    await beginReading(connection, plan.guarantee);
    for await (const _ of connection.stream(
      tableQuery(plan.columns, partition.table, plan.description.where),
      decoder,
      at,
    )) {
      yield decoder.batch();
      decoder.reset();
    }
    if (decoder.rows > 0) yield decoder.batch();
  } catch (cause) {
    throw drifted(cause, at) ?? cause;
  } finally {
    await connection.close();
  }
}
