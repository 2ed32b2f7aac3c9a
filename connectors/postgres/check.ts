import { checkSteps } from '../check-steps.ts';
import type { CheckReport, ConnectorContext } from '../connector.ts';
import { connectionTarget, type PostgresConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';

const snapshots = {
  exported: 'a snapshot can be exported',
  transaction: 'each table is read in one transaction, as the connection asks for',
};

/** Connects, counts what can be read, exports a snapshot; the first step that fails is the last. */
export async function check(config: PostgresConfig, context: ConnectorContext): Promise<CheckReport> {
  const open = () => openConnection(config, context);
  return checkSteps(open, async (connection, log) => {
    const target = connectionTarget(config);
    log.passed('connect', `connected to ${target.host}:${target.port}`);
    log.server(await versionOf(connection));
    log.passed('authenticate', `logged in to ${target.database} as ${target.user}`);
    log.passed('read', `${await countReadable(connection)} tables and views can be read`);
    const capture = await captureMessage(connection);
    await connection.query('begin isolation level repeatable read read only');
    if (config.snapshot !== 'transaction') await connection.query('select pg_export_snapshot()');
    log.passed('snapshot', `${snapshots[config.snapshot ?? 'exported']}; ${capture}`);
  });
}

/** For a table, the mode `changes` says what it still needs. `pg_settings`: servers that only speak the protocol have it. */
async function captureMessage(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    `select (select setting from pg_settings where name = 'wal_level') as wal_level,
            (select rolreplication or rolsuper from pg_roles where rolname = current_user) as replicates`,
  );
  if (row?.wal_level !== 'logical')
    return `changes cannot be captured: wal_level is ${row?.wal_level}, and not logical`;
  return row.replicates === true ? 'changes can be captured' : 'changes cannot be captured: the user may not replicate';
}

async function versionOf(connection: Connection): Promise<string> {
  const [row] = await connection.query(`select current_setting('server_version') as version`);
  return `PostgreSQL ${row?.version}`;
}

async function countReadable(connection: Connection): Promise<number> {
  const [row] = await connection.query(
    `select count(*)::int as n from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')`,
  );
  return Number(row?.n);
}
