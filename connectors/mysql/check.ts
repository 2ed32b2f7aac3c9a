import { checkSteps } from '../check-steps.ts';
import type { CheckReport, ConnectorContext } from '../connector.ts';
import { connectionTarget, type MysqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { findRelations, isTransactional, type Relation } from './relation.ts';
import { beginReading } from './snapshot.ts';

/** Connects, counts what can be read, begins a transaction; the first step that fails is the last. */
export async function check(config: MysqlConfig, context: ConnectorContext): Promise<CheckReport> {
  const open = () => openConnection(config, context);
  return checkSteps(open, async (connection, log) => {
    const target = connectionTarget(config);
    log.passed('connect', `connected to ${target.host}:${target.port}`);
    log.server(connection.server.title);
    log.passed('authenticate', `logged in to ${target.database} as ${target.user}`);
    const relations = await findRelations(connection);
    log.passed('read', `${relations.length} tables and views can be seen`);
    await beginReading(connection);
    log.passed('snapshot', await guaranteeText(connection, relations));
  });
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
