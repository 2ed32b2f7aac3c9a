/** The worked district as tests use it: its files, and its databases filled into the test run's PostgreSQL. */
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import pg from 'pg';
import { districtFileKind } from '../../schemas/definition/layout.ts';

export const districtFolder = join(import.meta.dirname, '..', '..', 'districts', 'longhua');

export interface DatabaseEntry {
  source: string;
  department: string;
  database: string;
  file: string;
  role: string;
  schemas: string[];
}

export interface DatabaseIndex {
  prelude: string[];
  settings: Record<string, string>;
  databases: DatabaseEntry[];
}

export interface PlantedRow {
  dataset: string;
  key: string | null;
  code: string;
}

/** Every file that is part of the definition, by its path in the district. */
export async function readDistrictFiles(): Promise<Record<string, string>> {
  const paths = (await readdir(districtFolder, { recursive: true })).map((path) => path.replaceAll(sep, '/'));
  const definitions = paths.filter((path) => districtFileKind(path) !== undefined);
  const texts = await Promise.all(definitions.map((path) => readFile(join(districtFolder, path), 'utf8')));
  return Object.fromEntries(definitions.map((path, i) => [path, texts[i] as string]));
}

export async function readDatabaseIndex(): Promise<DatabaseIndex> {
  return JSON.parse(await readFile(join(districtFolder, 'databases', 'index.json'), 'utf8'));
}

/** Fills an empty database as the README says: settings, prelude, then the source's own file, in one session. */
export async function fill(url: string, file: string, settings: { scale: number; seed?: number }): Promise<void> {
  const { prelude } = await readDatabaseIndex();
  await withClient(url, async (client) => {
    await client.query("select set_config('huitong.scale', $1, false), set_config('huitong.seed', $2, false)", [
      String(settings.scale),
      String(settings.seed ?? ''),
    ]);
    for (const name of [...prelude, file]) {
      await client.query(await readFile(join(districtFolder, 'databases', name), 'utf8'));
    }
  });
}

export async function withClient<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** Quoted names of the tables that a source offers. */
export async function tablesOf(client: pg.Client, schemas: string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name from pg_class join pg_namespace n on n.oid = relnamespace
     where relkind = 'r' and nspname = any($1) order by 1`,
    [schemas],
  );
  return rows.map(({ name }) => name);
}

/** One digest over a table's rows, whatever their order. */
export async function checksum(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ sum: string }>(
    `select md5(string_agg(md5(t::text), '' order by md5(t::text))) as sum from ${table} t`,
  );
  return rows[0]?.sum ?? '';
}
