import { toHuitongError } from '../../lib/errors.ts';
import type { CheckReport, CheckStep, ConnectorContext, SnapshotGuarantee } from '../connector.ts';
import { failedSteps } from '../failed-steps.ts';
import { connectionTarget, type MssqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { findRelations } from './relation.ts';
import { beginReading, guaranteeOf } from './snapshot.ts';

const guarantees: Record<SnapshotGuarantee, string> = {
  snapshot: 'the database does not change: every version is one state',
  transaction: 'SNAPSHOT isolation is allowed: every version is one state',
  none: 'SNAPSHOT isolation is off: versions say that they may mix states (ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON allows it)',
};

/** Connects, counts what can be read, looks for a snapshot; the first step that fails is the last. */
export async function check(config: MssqlConfig, context: ConnectorContext): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  let connection: Connection | undefined;
  let server: string | undefined;
  try {
    const target = connectionTarget(config);
    connection = await openConnection(config, context);
    steps.push({ name: 'connect', ok: true, message: `connected to ${target.server}:${target.port}` });
    server = await versionOf(connection);
    steps.push({ name: 'authenticate', ok: true, message: `logged in to ${target.database} as ${target.user}` });
    const { length } = await findRelations(connection);
    steps.push({ name: 'read', ok: true, message: `${length} tables and views can be read` });
    const guarantee = await guaranteeOf(connection);
    const capture = await captureMessage(connection);
    await beginReading(connection, guarantee);
    steps.push({ name: 'snapshot', ok: true, message: `${guarantees[guarantee]}; ${capture}` });
  } catch (cause) {
    steps.push(...failedSteps(toHuitongError(cause), steps.length));
  } finally {
    await connection?.close();
  }
  return { ok: steps.every((step) => step.ok), steps, ...(server === undefined ? {} : { server }) };
}

/** For a table, the mode `changes` says what it still needs. */
async function captureMessage(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    'select cast(count(*) as int) as tracked from sys.change_tracking_databases where database_id = db_id()',
  );
  return row?.tracked === 1 ? 'changes can be captured' : 'changes cannot be captured: Change Tracking is off';
}

async function versionOf(connection: Connection): Promise<string> {
  const [row] = await connection.query(`select cast(serverproperty('ProductVersion') as nvarchar(128)) as version`);
  return `SQL Server ${row?.version}`;
}
