/** Fills the department databases of Longhua, and gives each a login of its own that can only read. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { parse as parseYaml } from 'yaml';
import { HuitongError } from '../../lib/errors.ts';
import type { StateFolder } from '../state.ts';

const AT_ONCE = 2;

/** districts/longhua/databases/index.json. */
interface DatabaseIndex {
  /** Run first, in each database. */
  prelude: string[];
  settings: Record<string, string>;
  databases: DatabaseEntry[];
}

interface DatabaseEntry {
  source: string;
  department: string;
  database: string;
  file: string;
  role: string;
  schemas: string[];
}

export interface DepartmentDatabase {
  source: string;
  department: string;
  /** The superuser's: the demo's checks read the ledger of planted rows, which the department's role cannot. */
  adminUrl: string;
  /** The variable that the source's definition refers to, and what it must hold for the department's worker. */
  variable: string;
  readerUrl: string;
  /** With the tables that are published. */
  schemas: string[];
  /** Of the server, as the demo's table names it. */
  kind: string;
}

export interface FillOptions {
  /** The folder of the district. */
  district: string;
  scale: number;
  /** URL of one database of the server, made where it does not exist. */
  database(name: string): Promise<string>;
  state: Pick<StateFolder, 'secret'>;
  onFilled(database: string, seconds: number): void;
}

/** A database that was filled before at the same scale from the same files is left as it is. */
export async function fillDatabases(options: FillOptions): Promise<DepartmentDatabase[]> {
  const folder = join(options.district, 'databases');
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as DatabaseIndex;
  const prelude = await Promise.all(index.prelude.map((file) => readFile(join(folder, file), 'utf8')));
  const filled: DepartmentDatabase[] = [];
  const waiting = index.databases.map((entry, i) => ({ entry, i }));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { entry, i } = next;
      const script = [...prelude, await readFile(join(folder, entry.file), 'utf8')];
      filled[i] = await prepare(entry, script, { ...index.settings, 'huitong.scale': String(options.scale) }, options);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return filled;
}

async function prepare(
  entry: DatabaseEntry,
  script: string[],
  settings: Record<string, string>,
  options: FillOptions,
): Promise<DepartmentDatabase> {
  // Written into the database's comment when all of it is there: what was cut off in the middle is made again.
  const mark = createHash('sha256')
    .update(JSON.stringify([script, settings]))
    .digest('hex');
  let adminUrl = await options.database(entry.database);
  const found = await withClient(adminUrl, readMark);
  if (found !== mark) {
    const since = Date.now();
    const serverUrl = await options.database('postgres');
    await withClient(serverUrl, (client) => client.query(`drop database ${id(entry.database)} with (force)`));
    adminUrl = await options.database(entry.database);
    await withClient(adminUrl, (client) => fill(client, entry, script, settings, mark));
    options.onFilled(entry.database, (Date.now() - since) / 1000);
  }
  const password = await options.state.secret(`database-${entry.role}`);
  await withClient(adminUrl, (client) => grant(client, entry, password));
  return {
    source: entry.source,
    department: entry.department,
    adminUrl,
    variable: await variableOf(options.district, entry.source),
    readerUrl: withUser(adminUrl, entry.role, password),
    schemas: entry.schemas,
    kind: 'PostgreSQL',
  };
}

async function readMark(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ mark: string | null }>(
    `select shobj_description(oid, 'pg_database') as mark from pg_database where datname = current_database()`,
  );
  return rows[0].mark;
}

async function fill(
  client: pg.Client,
  entry: DatabaseEntry,
  script: string[],
  settings: Record<string, string>,
  mark: string,
): Promise<void> {
  await client.query('set synchronous_commit = off');
  for (const [name, value] of Object.entries(settings)) {
    await client.query('select set_config($1, $2, false)', [name, value]);
  }
  for (const text of script) await client.query(text);
  await client.query(`comment on database ${id(entry.database)} is '${mark}'`);
}

/** What a department would give an exchange: login, read only, the schemas with its tables, nothing else. */
async function grant(client: pg.Client, entry: DatabaseEntry, password: string): Promise<void> {
  const role = id(entry.role);
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [entry.role]);
  if (rowCount === 0) await client.query(`create role ${role} login`);
  const options = `login nosuperuser nocreatedb nocreaterole password ${client.escapeLiteral(password)}`;
  await client.query(`alter role ${role} with ${options}`);
  await client.query(`alter role ${role} set default_transaction_read_only = on`);
  const schemas = entry.schemas.map(id).join(', ');
  await client.query(`revoke all on database ${id(entry.database)} from public`);
  await client.query(`grant connect on database ${id(entry.database)} to ${role}`);
  await client.query(`grant usage on schema ${schemas} to ${role}`);
  await client.query(`grant select on all tables in schema ${schemas} to ${role}`);
}

/** `connection.url: env:LONGHUA_HEALTH_URL` in the source's definition gives LONGHUA_HEALTH_URL. */
async function variableOf(district: string, source: string): Promise<string> {
  const file = join(district, 'sources', `${source}.yaml`);
  const definition = parseYaml(await readFile(file, 'utf8')) as { connection?: { url?: string } };
  const variable = /^env:(\w+)$/.exec(definition.connection?.url ?? '')?.[1];
  if (variable !== undefined) return variable;
  throw new HuitongError('CONFIG_INVALID', 'the source’s connection.url is not a reference env:NAME', { at: file });
}

function withUser(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}

async function withClient<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  // A broken connection is reported by the query that needed it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

function id(name: string): string {
  return pg.escapeIdentifier(name);
}
