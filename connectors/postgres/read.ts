import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadPlan, ReadRequest, SourceBatch } from '../connector.ts';
import type { PostgresConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { CopyDecoder } from './decode.ts';
import { mappingOfColumn, type PostgresPartition, partitionQuery } from './plan.ts';
import { quoteName, quoteTable } from './relation.ts';
import { types } from './types.ts';

/** Joins the plan's snapshot, where it has one, and reads one partition. Throws SNAPSHOT_LOST, SCHEMA_DRIFT, CELL_TOO_LARGE, CANCELLED. */
export async function* read(
  config: PostgresConfig,
  request: ReadRequest<PostgresPartition>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const at = quoteTable(partition.table);
  const columns = plan.columns.map((column) => ({ name: column.name, mapping: mappingOfColumn(column) }));
  const decoder = new CopyDecoder(arrowSchemaOf(types, plan), columns, request, at);
  const connection = await openConnection(config, context);
  try {
    await connection.query('begin isolation level repeatable read read only');
    if (plan.guarantee === 'snapshot') await joinSnapshot(connection, plan.snapshotToken);
    await assertUnchanged(connection, plan, at);
    const sql = `copy (${partitionQuery(plan.columns, partition)}) to stdout (format binary)`;
    for await (const _ of connection.copyOut(sql, decoder, at)) {
      yield decoder.batch();
      decoder.reset();
    }
    if (decoder.rows > 0) yield decoder.batch();
  } finally {
    await connection.close();
  }
}

async function joinSnapshot(connection: Connection, token: string | undefined): Promise<void> {
  if (token === undefined) throw new HuitongError('SNAPSHOT_LOST', 'the plan does not name its snapshot');
  // SET TRANSACTION takes no parameters.
  await connection.query(`set transaction snapshot '${token.replaceAll("'", "''")}'`);
}

/** The columns must still be those of the plan: the snapshot keeps rows from changing, not the table's definition. */
async function assertUnchanged(connection: Connection, plan: ReadPlan, at: string): Promise<void> {
  const names = plan.columns.map((column) => quoteName(column.name)).join(', ');
  const drift = (what: string, cause?: unknown) =>
    new HuitongError('SCHEMA_DRIFT', `the table changed between planning and reading: ${what}`, { at, cause });
  const result = await connection.describe(`select ${names} from ${at} limit 0`, [], at).catch((cause: unknown) => {
    if (isHuitongError(cause, 'TABLE_NOT_FOUND')) throw drift('it is gone', cause);
    if (isHuitongError(cause, 'COLUMN_NOT_FOUND')) throw drift('a column is gone', cause);
    throw cause;
  });
  const changed = plan.columns.filter((column, i) => {
    const { wireType, wireModifier } = mappingOfColumn(column);
    return result.fields[i]?.dataTypeID !== wireType || result.fields[i]?.dataTypeModifier !== wireModifier;
  });
  if (changed.length > 0) throw drift(`the type of ${changed.map((column) => column.name).join(', ')}`);
}
