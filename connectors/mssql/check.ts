import { checkSteps } from '../check-steps.ts';
import type { CheckReport, ConnectorContext, SnapshotGuarantee } from '../connector.ts';
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
  const open = () => openConnection(config, context);
  return checkSteps(open, async (connection, log) => {
    const target = connectionTarget(config);
    log.passed('connect', `connected to ${target.server}:${target.port}`);
    log.server(await versionOf(connection));
    log.passed('authenticate', `logged in to ${target.database} as ${target.user}`);
    const { length } = await findRelations(connection);
    log.passed('read', `${length} tables and views can be read`);
    const guarantee = await guaranteeOf(connection);
    const capture = await captureMessage(connection);
    await beginReading(connection, guarantee);
    log.passed('snapshot', `${guarantees[guarantee]}; ${capture}`);
  });
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
