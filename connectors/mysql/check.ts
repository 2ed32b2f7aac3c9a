import { toHuitongError } from '../../lib/errors.ts';
import type { CheckReport, CheckStep, ConnectorContext } from '../connector.ts';
import { failedSteps } from '../failed-steps.ts';
import { connectionTarget, type MysqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { findRelations, isTransactional, type Relation } from './relation.ts';
import { beginReading } from './snapshot.ts';

/** Connects, counts what can be read, begins a transaction; the first step that fails is the last. */
export async function check(config: MysqlConfig, context: ConnectorContext): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  let connection: Connection | undefined;
  let server: string | undefined;
  try {
    const target = connectionTarget(config);
    connection = await openConnection(config, context);
    steps.push({ name: 'connect', ok: true, message: `connected to ${target.host}:${target.port}` });
    server = connection.server.title;
    steps.push({ name: 'authenticate', ok: true, message: `logged in to ${target.database} as ${target.user}` });
    const relations = await findRelations(connection);
    steps.push({ name: 'read', ok: true, message: `${relations.length} tables and views can be seen` });
    await beginReading(connection);
    steps.push({ name: 'snapshot', ok: true, message: await guaranteeText(connection, relations) });
  } catch (cause) {
    steps.push(...failedSteps(toHuitongError(cause), steps.length));
  } finally {
    await connection?.close();
  }
  return { ok: steps.every((step) => step.ok), steps, ...(server === undefined ? {} : { server }) };
}

async function guaranteeText(connection: Connection, relations: Relation[]): Promise<string> {
  const engines = new Map(relations.map((relation) => [relation.engine, relation]));
  engines.delete(undefined);
  const loose: string[] = [];
  for (const [engine, relation] of engines) {
    if (!(await isTransactional(connection, relation))) loose.push(String(engine));
  }
  if (loose.length === 0) return 'every table is transactional: every version is one state';
  return `tables of ${loose.join(', ')} have no transactions: their versions say that they may mix states`;
}
