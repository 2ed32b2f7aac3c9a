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
    await beginReading(connection, guarantee);
    steps.push({ name: 'snapshot', ok: true, message: guarantees[guarantee] });
  } catch (cause) {
    steps.push(...failedSteps(toHuitongError(cause), steps.length));
  } finally {
    await connection?.close();
  }
  return { ok: steps.every((step) => step.ok), steps, ...(server === undefined ? {} : { server }) };
}

async function versionOf(connection: Connection): Promise<string> {
  const [row] = await connection.query(`select cast(serverproperty('ProductVersion') as nvarchar(128)) as version`);
  return `SQL Server ${row?.version}`;
}
