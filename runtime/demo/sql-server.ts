/**
 * Three departments of Longhua on SQL Server: their tables are copied, cell by cell as text, from the databases that were
 * filled on the embedded PostgreSQL, which stay as the record of what was planted.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';
import { type Connection, openConnection } from '../../connectors/mssql/connection.ts';
import { quoteName, quoteTable } from '../../connectors/mssql/relation.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { StateFolder } from '../state.ts';
import type { DepartmentDatabase } from './databases.ts';

const ROWS_AT_ONCE = 1_000;
/** Of a key: an index of SQL Server takes 900 bytes. */
const KEY_LETTERS = 450;
/** Keys are compared by their bytes, as PostgreSQL does. */
const COLLATION = 'Latin1_General_100_BIN2';

/** `overlays/mssql` of the district: definitions that take the place of those for PostgreSQL, by path. */
export async function sqlServerOverlay(district: string): Promise<Record<string, string>> {
  const folder = join(district, 'overlays', 'mssql', 'sources');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [`sources/${file}`, await readFile(join(folder, file), 'utf8')] as const),
    ),
  );
}

/** The sources that are on SQL Server where there is one. */
export async function sqlServerSources(district: string): Promise<string[]> {
  return Object.keys(await sqlServerOverlay(district)).map((path) => basename(path, '.yaml'));
}

export interface CopyOptions {
  /** `mssql://sa:…@server:1433/master`: whoever may create databases and logins. */
  url: string;
  state: Pick<StateFolder, 'secret'>;
  onCopied(database: string, seconds: number): void;
}

/** Makes the database anew, copies all tables of the source's schemas, and gives its reader a login; then it reads there. */
export async function copyToSqlServer(filled: DepartmentDatabase, options: CopyOptions): Promise<DepartmentDatabase> {
  const since = Date.now();
  const name = new URL(filled.adminUrl).pathname.slice(1);
  const role = decodeURIComponent(new URL(filled.readerUrl).username);
  const password = `${await options.state.secret(`sqlserver-${role}`)}aA1!`;
  await withServer(options, 'master', async (server) => {
    const gone = `if db_id(@p0) is not null begin alter database ${quoteName(name)} set single_user with rollback immediate; drop database ${quoteName(name)}; end`;
    await server.query(gone, [name]);
    await server.query(`create database ${quoteName(name)} collate ${COLLATION}`);
    await server.query(`alter database ${quoteName(name)} set allow_snapshot_isolation on`);
    await server.query(`if suser_id(${literal(role)}) is not null drop login ${quoteName(role)}`);
    await server.query(`create login ${quoteName(role)} with password = ${literal(password)}, check_policy = off`);
  });
  const source = new pg.Client(filled.adminUrl);
  source.on('error', () => {});
  await source.connect();
  try {
    await withServer(options, name, async (target) => {
      for (const table of await tablesOf(source, filled.schemas)) await copyTable(source, target, table);
      await target.query(`create user ${quoteName(role)} for login ${quoteName(role)}`);
      await target.query(`alter role db_datareader add member ${quoteName(role)}`);
    });
  } finally {
    await source.end();
  }
  options.onCopied(name, (Date.now() - since) / 1000);
  return { ...filled, kind: 'SQL Server', readerUrl: readerOf(options.url, name, role, password) };
}

interface CopiedTable {
  schema: string;
  name: string;
  columns: { name: string; type: string; notNull: boolean }[];
  key: string[];
}

async function tablesOf(source: pg.Client, schemas: readonly string[]): Promise<CopiedTable[]> {
  const { rows } = await source.query<CopiedTable>(TABLES, [schemas]);
  return rows;
}

const TABLES = `
  select n.nspname as schema, c.relname as name,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                       'notNull', a.attnotnull) order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    coalesce((select json_agg(a.attname order by array_position(i.indkey::int[], a.attnum::int))
       from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
       where i.indrelid = c.oid and i.indisprimary), '[]') as key
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname = any($1) order by 1, 2`;

async function copyTable(source: pg.Client, target: Connection, table: CopiedTable): Promise<void> {
  const to = quoteTable(table);
  const columns = table.columns.map((column) => ({
    ...column,
    quoted: quoteName(column.name),
    is: sqlServerType(column.type, table.key.includes(column.name), `${table.schema}.${table.name}.${column.name}`),
  }));
  const declared = columns.map(({ quoted, is, notNull }) => `${quoted} ${is} ${notNull ? 'not null' : 'null'}`);
  const key = table.key.length === 0 ? [] : [`primary key (${table.key.map(quoteName).join(', ')})`];
  await target.query(`if schema_id(@p0) is null exec(${literal(`create schema ${quoteName(table.schema)}`)})`, [
    table.schema,
  ]);
  await target.query(`create table ${to} (${[...declared, ...key].join(', ')})`);
  const names = columns.map(({ quoted }) => quoted).join(', ');
  const parsed = columns.map(({ quoted, is }, i) => `${quoted} ${is} '$[${i}]'`).join(', ');
  // The server makes the values out of PostgreSQL's own text: no number passes through JavaScript.
  const insert = `insert into ${to} (${names}) select ${names} from openjson(@p0) with (${parsed})`;
  for await (const rows of batches(source, table)) await target.query(insert, [`[${rows.join(',')}]`]);
}

/** Rows as JSON arrays of texts, a thousand at a time, in one snapshot. */
async function* batches(source: pg.Client, { schema, name, columns }: CopiedTable): AsyncGenerator<string[]> {
  const texts = columns.map((column) => `${pg.escapeIdentifier(column.name)}::text`).join(', ');
  const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  await source.query('begin');
  try {
    await source.query(`declare copied cursor for select json_build_array(${texts})::text as row from ${from}`);
    for (;;) {
      const { rows } = await source.query<{ row: string }>(`fetch ${ROWS_AT_ONCE} from copied`);
      if (rows.length === 0) break;
      yield rows.map(({ row }) => row);
    }
  } finally {
    await source.query('rollback');
  }
}

/** @throws CONFIG_INVALID for a type that the district's three departments do not have */
function sqlServerType(type: string, isKey: boolean, at: string): string {
  if (type === 'text') return isKey ? `nvarchar(${KEY_LETTERS})` : 'nvarchar(4000)';
  const numeric = /^numeric(\(\d+,\d+\))$/.exec(type)?.[1];
  if (numeric !== undefined) return `decimal${numeric}`;
  const known = TYPES.get(type);
  if (known !== undefined) return known;
  throw new HuitongError('CONFIG_INVALID', `a column of type ${type} is not copied to SQL Server`, { at });
}

const TYPES = new Map([
  ['smallint', 'smallint'],
  ['integer', 'int'],
  ['bigint', 'bigint'],
  ['boolean', 'bit'],
  ['date', 'date'],
  ['real', 'real'],
  ['jsonb', 'nvarchar(max)'],
  ['timestamp without time zone', 'datetime2(6)'],
]);

async function withServer(
  { url }: CopyOptions,
  database: string,
  body: (connection: Connection) => Promise<void>,
): Promise<void> {
  const at = new URL(url);
  at.pathname = `/${database}`;
  // As in the overlay's definitions: a server in a container vouches for itself.
  const config = { url: at.href, trustServerCertificate: true };
  const context = { signal: new AbortController().signal, label: 'huitong/demo', loopbackAllowed: true };
  const connection = await openConnection(config, context);
  try {
    await body(connection);
  } finally {
    await connection.close();
  }
}

function readerOf(url: string, database: string, user: string, password: string): string {
  const reader = new URL(url);
  reader.pathname = `/${database}`;
  reader.username = user;
  reader.password = encodeURIComponent(password);
  return reader.href;
}

function literal(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}
