import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadRequest, SourceBatch } from '../connector.ts';
import { drifted } from '../drift.ts';
import type { MysqlConfig } from './config.ts';
import { openConnection } from './connection.ts';
import { RowDecoder } from './decode.ts';
import { type MysqlPartition, mappingOfColumn, partitionQuery } from './plan.ts';
import { quoteTable } from './relation.ts';
import { beginReading } from './snapshot.ts';
import { types } from './types.ts';

/** Reads the table in one stream and one transaction. Throws SCHEMA_DRIFT, CELL_TOO_LARGE, CANCELLED. */
export async function* read(
  config: MysqlConfig,
  request: ReadRequest<MysqlPartition>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const at = quoteTable(partition.table);
  const columns = plan.columns.map((column) => {
    const { typeInfo, ...mapping } = mappingOfColumn(column);
    return { name: column.name, mapping, typeInfo };
  });
  const decoder = new RowDecoder(arrowSchemaOf(types, plan), columns, request, at);
  const connection = await openConnection(config, context);
  try {
    await beginReading(connection);
    for await (const _ of connection.stream(partitionQuery(plan.columns, partition), decoder, at)) {
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
