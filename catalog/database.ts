/** The catalog's database: PostgreSQL through knex. Every table is made by `catalog/migrations/`. */
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { migrationSource } from './migrations/index.ts';

/** A pool, or a transaction of it: both are accepted wherever a catalog is read or written. */
export type Catalog = Knex;

export interface CatalogOptions {
  /** Connections of this process at most. */
  connectionsMax?: number;
  /** Shown in `pg_stat_activity`. */
  applicationName?: string;
}

const INT8_OID = 20;
const MIGRATION_LOCK_KEY = 4_870_115;
/** knex repeats on the console what it throws; our callers log it once, without the address's password. */
const silent = { debug() {}, warn() {}, error() {}, deprecate() {} };

/**
 * Opens a pool; no connection is made yet. `catalog.destroy()` closes it.
 * @throws CONFIG_INVALID where `url` is not a PostgreSQL URL
 */
export function openCatalog(url: string, options: CatalogOptions = {}): Catalog {
  assertPostgresUrl(url);
  return knex({
    client: 'pg',
    log: silent,
    // A failure's message has the statement, not the values in it: they may be a person's.
    compileSqlOnError: false,
    connection: {
      connectionString: url,
      application_name: options.applicationName ?? 'huitong',
      statement_timeout: limits.catalogStatementTimeoutMs,
      connectionTimeoutMillis: limits.catalogConnectTimeoutMs,
      types: { getTypeParser },
    },
    pool: { min: 0, max: options.connectionsMax ?? limits.catalogConnectionsMax },
    acquireConnectionTimeout: limits.catalogConnectTimeoutMs,
  });
}

/**
 * Brings the schema up to date and returns the names of the migrations that ran. All of them run in one transaction
 * under an advisory lock: processes that start together take turns, and one that dies leaves nothing half-made.
 * @throws CATALOG_UNREACHABLE where the database does not answer or refuses the user
 */
export async function migrate(catalog: Catalog): Promise<string[]> {
  await assertReachable(catalog);
  return catalog.transaction(async (transaction) => {
    await transaction.raw('set local statement_timeout = 0');
    await transaction.raw('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK_KEY]);
    const [, names] = await transaction.migrate.latest({ migrationSource, tableName: 'catalog_migration' });
    return names;
  });
}

/** @throws CATALOG_UNREACHABLE, which names host and database, never the password */
export async function assertReachable(catalog: Catalog): Promise<void> {
  try {
    await catalog.raw('select 1');
  } catch (cause) {
    throw new HuitongError('CATALOG_UNREACHABLE', 'the catalog’s database does not answer or refuses the user', {
      at: placeOf(catalog),
      cause,
    });
  }
}

/** Whether `e` is PostgreSQL's report of a broken unique constraint (SQLSTATE 23505), of that name if given. */
export function isUniqueViolation(e: unknown, constraint?: string): boolean {
  return (
    e instanceof pg.DatabaseError && e.code === '23505' && (constraint === undefined || e.constraint === constraint)
  );
}

/** PostgreSQL's own words for "this connection is over, or there is none to be had" (appendix A, error codes). */
const LOST_STATES = /^(08|57P0[1-3]|53300)/;
const LOST_ERRNOS = /^(ECONN(RESET|REFUSED|ABORTED)|EPIPE|E(HOST|NET)UNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/;
/** node-postgres reports a connection that ends under a query by message only. */
const LOST_MESSAGES = /connection (terminated|ended|closed)|not queryable|timeout (acquiring|exceeded)/i;

/** Whether the catalog went away, or cannot be reached: what was asked may have been done or not. */
export function isCatalogLoss(e: unknown): boolean {
  if (!(e instanceof Error) || e instanceof HuitongError) return false;
  if (e instanceof pg.DatabaseError) return LOST_STATES.test(e.code ?? '');
  return ('code' in e && LOST_ERRNOS.test(String(e.code))) || LOST_MESSAGES.test(e.message);
}

/** `bigint` columns arrive as numbers; one beyond 2^53 is an error, never a rounded value. `numeric` stays text. */
function getTypeParser(oid: number, format?: string) {
  return oid === INT8_OID ? parseSafeInteger : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new HuitongError('INTERNAL', 'a bigint of the catalog exceeds 2^53');
  return value;
}

function assertPostgresUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new HuitongError('CONFIG_INVALID', 'the catalog’s address is not a PostgreSQL URL', {
      hint: 'Give it as postgres://user:password@host:port/database.',
    });
  }
}

function placeOf(catalog: Catalog): string {
  const { host, pathname } = new URL(catalog.client.config.connection.connectionString);
  return `${host}${pathname}`;
}
