/**
 * PostgreSQL's own regression database (PostgreSQL licence): its test scripts leave tables of nearly every type behind,
 * inheritance of several levels, partitions by list, range and hash, views, materialized views, generated and identity
 * columns. The scripts are in the source package of the distribution, which apt fetches once into the user's cache;
 * nothing is committed. Where there is no `apt-get source` or no psql, the tests that use them say so and are skipped.
 */
import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type pg from 'pg';
import { expect } from 'vitest';
import type { SourceTable } from '../../connectors/connector.ts';
import { distinctness } from './distinctness.ts';
import type { Choice, SampleDatabase } from './sample-database.ts';

const run = promisify(execFile);
const FETCH_TIMEOUT_MS = 180_000;
const SCRIPT_TIMEOUT_MS = 120_000;
/** The scripts read environment variables (`\getenv`) since then. */
const PSQL_VERSION_MIN = 15;
/** Fewer published ones would mean that scripts were not read, or that the rule of choice lost its sense. */
const PARTITIONS_MIN = 15;
const TYPES_MIN = 40;

/** Scripts of one line may run side by side: they are of one group in PostgreSQL's own `parallel_schedule`. */
const groups = `
  test_setup
  char bit numeric uuid enum money rangetypes pg_lsn
  point lseg line box path polygon circle date time timetz timestamp timestamptz interval inet macaddr multirangetypes
  tstypes horology
  create_misc create_table create_type
  create_view
  inherit typed_table updatable_views
  arrays
  matview identity generated
  brin
  jsonb
  domain rowtypes xml
  hash_part partition_join partition_prune partition_aggregate`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' '));

/** @throws Error where psql, or the source package that goes with it, cannot be had */
export async function regressionDatabase(): Promise<SampleDatabase> {
  const version = await psqlVersion().catch((cause: unknown) => {
    throw new Error('psql is not installed (package postgresql-client)', { cause });
  });
  if (version < PSQL_VERSION_MIN) throw new Error(`psql ${version} is older than ${PSQL_VERSION_MIN}`);
  const folder = await fetched(`postgresql-${version}`).catch((cause: unknown) => {
    throw new Error(`apt-get source postgresql-${version} does not work here`, { cause });
  });
  return { load: (_, url) => runScripts(folder, url), choose };
}

async function psqlVersion(): Promise<number> {
  const { stdout } = await run('psql', ['--version']);
  return Number(/\d+/.exec(stdout)?.[0]);
}

async function fetched(sourcePackage: string): Promise<string> {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong', 'samples');
  const folder = join(root, `${sourcePackage}_regress`);
  const there = await access(join(folder, 'sql')).then(
    () => true,
    () => false,
  );
  if (there) return folder;
  await mkdir(root, { recursive: true });
  // In the temporary folder, which apt's own user can reach; the cache may be below a private home.
  const workspace = await mkdtemp(join(tmpdir(), 'huitong-apt-'));
  const unpacked = join(root, `.unpacking-${process.pid}`);
  try {
    await mkdir(unpacked, { recursive: true });
    await extract(await download(sourcePackage, workspace), unpacked);
    await rename(unpacked, folder);
  } finally {
    await rm(workspace, { recursive: true, force: true });
    await rm(unpacked, { recursive: true, force: true });
  }
  return folder;
}

/** The source package's archive, by apt with lists of its own: the machine's are neither used nor changed. */
async function download(sourcePackage: string, workspace: string): Promise<string> {
  const folders = ['parts', 'lists/partial', 'cache/archives/partial'].map((name) => join(workspace, name));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await writeFile(join(workspace, 'parts', 'own.list'), await sourceLines());
  await writeFile(join(workspace, 'parts', 'own.sources'), await sourceStanzas());
  const options = [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${join(workspace, 'parts')}`,
    `Dir::State::lists=${join(workspace, 'lists')}`,
    `Dir::Cache=${join(workspace, 'cache')}`,
  ].flatMap((option) => ['-o', option]);
  const where = { cwd: workspace, timeout: FETCH_TIMEOUT_MS };
  await run('apt-get', [...options, '-qq', 'update'], where);
  await run('apt-get', [...options, '-qq', 'source', '--download-only', '--tar-only', sourcePackage], where);
  const archive = (await readdir(workspace)).find((name) => name.includes('.orig.tar.'));
  if (archive === undefined) throw new Error(`apt-get source ${sourcePackage} fetched no archive`);
  return join(workspace, archive);
}

async function extract(archive: string, folder: string): Promise<void> {
  const members = ['*/src/test/regress/sql', '*/src/test/regress/data'];
  const options = ['--strip-components=4', '--no-same-owner', '--no-same-permissions', '--wildcards'];
  await run('tar', ['-xf', archive, '-C', folder, ...options, ...members], { timeout: FETCH_TIMEOUT_MS });
}

/** The machine's own `deb` lines of its release, each for sources: sources.list(5), "One-line-style format". */
async function sourceLines(): Promise<string> {
  const release = await codename();
  return (await aptFiles('.list'))
    .flatMap((text) => text.split('\n'))
    .filter((line) => /^deb\s/.test(line) && line.split(/\s+/).includes(release))
    .map((line) => `${line.replace(/^deb/, 'deb-src')}\n`)
    .join('');
}

/** The same of stanzas: sources.list(5), "deb822-style format". */
async function sourceStanzas(): Promise<string> {
  const release = await codename();
  return (await aptFiles('.sources'))
    .flatMap((text) => text.split(/\n\s*\n/))
    .filter((stanza) => /^Suites:.*$/m.exec(stanza)?.[0].split(/\s+/).includes(release))
    .map((stanza) => `${stanza.replace(/^Types:.*$/m, 'Types: deb-src').trim()}\n\n`)
    .join('');
}

async function aptFiles(ending: string): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = (await readdir(parts).catch((): string[] => [])).filter((name) => name.endsWith(ending));
  const paths = [...(ending === '.list' ? ['/etc/apt/sources.list'] : []), ...names.map((name) => join(parts, name))];
  return Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
}

async function codename(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8');
  const name = /^VERSION_CODENAME=(\S+)$/m.exec(text)?.[1];
  if (name === undefined) throw new Error('/etc/os-release names no release');
  return name;
}

/** Runs the scripts by psql, in the surroundings that PostgreSQL's pg_regress gives them. */
async function runScripts(folder: string, url: string): Promise<string> {
  // The server reads the rows itself, and may be a user that cannot look into our home.
  const readable = await mkdtemp(join(tmpdir(), 'huitong-regress-'));
  await chmod(readable, 0o755);
  const { hostname, port, username, password, pathname } = new URL(url);
  const env = {
    ...process.env,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
    PGTZ: 'PST8PDT',
    PGDATESTYLE: 'Postgres, MDY',
    PGOPTIONS: '-c intervalstyle=postgres_verbose',
    PG_ABS_SRCDIR: readable,
    // Functions in C: not ours to build. What needs them is refused, as the scripts' intended errors are.
    PG_LIBDIR: '/nonexistent',
    PG_DLSUFFIX: '.so',
    PG_ABS_BUILDDIR: tmpdir(),
  };
  const limits = { env, timeout: SCRIPT_TIMEOUT_MS, maxBuffer: 64 << 20 };
  try {
    await cp(join(folder, 'data'), join(readable, 'data'), { recursive: true });
    for (const group of groups) {
      await Promise.all(
        group.map((name) => run('psql', ['-X', '-q', '-f', join(folder, 'sql', `${name}.sql`)], limits)),
      );
    }
  } finally {
    await rm(readable, { recursive: true, force: true });
  }
  return `${groups.flat().length} of PostgreSQL's own test scripts`;
}

interface ShapedTable {
  schema: string;
  name: string;
  /** `partitioned 0h`, `inheritance`, `view`, …: what it is, partitioned ones with the strategy of each level. */
  shape: string;
}

/** What has to be among the published, beside one of each other shape. */
const shapesNeeded = ['partitioned 0h', 'partitioned 0l', 'partitioned 0r', 'partitioned 0r 1l 1r'];
const othersNeeded = ['inheritance', 'materialized', 'table', 'view'];

async function choose(client: pg.Client, discovered: SourceTable[]): Promise<Choice> {
  const chosen = await chosenTables(client);
  const found = new Map(discovered.map((table) => [`${table.schema}.${table.name}`, table]));
  const asDiscovered = ({ schema, name }: ShapedTable) => found.get(`${schema}.${name}`)!;
  expect([...found.keys()]).toEqual(expect.arrayContaining(chosen.map(({ schema, name }) => `${schema}.${name}`)));
  return {
    tables: chosen,
    published(tables) {
      const left = chosen.filter((table) => tables.includes(table));
      const shapes = [...new Set(left.map(({ shape }) => shape))].sort();
      const counts = shapes.map((shape) => `${left.filter((table) => table.shape === shape).length} ${shape}`);
      const partitions = left.reduce((sum, table) => sum + (asDiscovered(table).partitions ?? 0), 0);
      const types = new Set(left.flatMap((table) => asDiscovered(table).columns.map(({ sourceType }) => sourceType)));
      console.log(
        `regression: of ${discovered.length} discovered, published ${counts.join(', ')}; ${partitions} partitions; ${types.size} types: ${[...types].sort().join(', ')}`,
      );
      expect(shapes).toEqual(expect.arrayContaining([...shapesNeeded, ...othersNeeded]));
      expect(partitions).toBeGreaterThanOrEqual(PARTITIONS_MIN);
      expect(types.size).toBeGreaterThanOrEqual(TYPES_MIN);
    },
  };
}

/**
 * Of the tables and views with rows: of each shape (partitioned by the strategies of its levels, inheriting or
 * inherited, view, materialized view) one for each set of types, and of plain tables those with a type that none before
 * has, those of most types first. Where several would do, one that has a key.
 */
async function chosenTables(client: pg.Client): Promise<ShapedTable[]> {
  const { rows } = await client.query<ShapedTable & { types: string[] }>(
    `select n.nspname as schema, c.relname as name, t.types,
            concat_ws(' ', case when c.relkind = 'p' then 'partitioned' when c.relkind = 'm' then 'materialized'
                                when c.relkind = 'v' then 'view' when h.related then 'inheritance' else 'table' end,
                      (select string_agg(distinct p.level::text || s.partstrat::text, ' ') from pg_partition_tree(c.oid) p
                         join pg_partitioned_table s on s.partrelid = p.relid)) as shape
       from pg_class c join pg_namespace n on n.oid = c.relnamespace,
            lateral (select array_agg(distinct format_type(atttypid, atttypmod)) as types from pg_attribute
                      where attrelid = c.oid and attnum > 0 and not attisdropped) t,
            lateral (select exists (select from pg_inherits where c.oid in (inhrelid, inhparent)) as related) h
      where c.relkind in ('r', 'v', 'm', 'p') and not c.relispartition and t.types is not null
        and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      order by cardinality(t.types) desc, n.nspname collate "C", c.relname collate "C"`,
  );
  const filled: (ShapedTable & { types: string[]; apart: boolean })[] = [];
  for (const table of rows) {
    // A view over what another script dropped, or whose function is in C, cannot be read at all.
    const content = await distinctness(client, table).catch(() => ({ rows: 0, apart: false }));
    if (content.rows > 0) filled.push({ ...table, apart: content.apart });
  }
  const rank = ({ shape, apart }: (typeof filled)[number]) => (shape === 'table' ? 2 : 0) + (apart ? 0 : 1);
  const seen = new Set<string>();
  const chosen: ShapedTable[] = [];
  for (const table of filled.sort((one, other) => rank(one) - rank(other))) {
    const { schema, name, shape, types } = table;
    const kind = `${shape} of ${types.join(', ')}`;
    const isNew = shape === 'table' ? types.some((type) => !seen.has(type)) : !seen.has(kind);
    if (!isNew) continue;
    for (const item of [kind, ...types]) seen.add(item);
    chosen.push({ schema, name, shape });
  }
  return chosen;
}
