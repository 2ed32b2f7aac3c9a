/**
 * Sample databases that nobody here wrote, fetched once into the user's cache; the first two are in packages of Maven
 * Central:
 *
 *   books      SchemaCrawler's test database (EPL 2.0): quoted and spaced names, composite types, domains, enums, views, a
 *              materialized view, comments
 *   debezium   the tables that Debezium tests its PostgreSQL connector with (Apache 2.0): arrays, ranges, bit strings,
 *              bytea, networks, NaN and the infinities; its rows are constants of a compiled class
 *   regression the tables of PostgreSQL's own tests (PostgreSQL licence): regression-database.ts
 *
 * They are fetched and never committed. Where Maven, or for the last apt or psql, is not there, the tests that use them say so and are skipped.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { regressionDatabase } from './regression-database.ts';
import type { SampleDatabase } from './sample-database.ts';

const run = promisify(execFile);
const FETCH_TIMEOUT_MS = 120_000;
const BOOKS = 'us.fatehi:schemacrawler-testdb:16.22.3:jar';
const DEBEZIUM = 'io.debezium:debezium-connector-postgres:2.7.4.Final:jar:tests';

/** By name; in place of one that is not there, a line that says why. */
export async function sampleDatabases(): Promise<Record<string, SampleDatabase | string>> {
  const [books, debezium, regression] = await Promise.all([
    orReason(async () => fromStatements(await booksStatements(await unpacked(BOOKS)))),
    orReason(async () => fromStatements(await debeziumStatements(await unpacked(DEBEZIUM)))),
    orReason(regressionDatabase),
  ]);
  return { books, debezium, regression };
}

async function orReason<T>(work: () => Promise<T>): Promise<T | string> {
  return work().catch(
    (e: unknown) => `no sample database: ${e instanceof Error ? e.message.split('\n')[0] : String(e)}`,
  );
}

/** Each text is one statement, or several that belong together. A server without some extension refuses a few. */
export function fromStatements(statements: string[]): SampleDatabase {
  return {
    async load(client) {
      let refused = 0;
      for (const statement of statements) {
        await client.query(statement).catch(() => {
          refused++;
        });
      }
      return `${refused} of ${statements.length} statements refused by this server`;
    },
  };
}

/** The folder with an artifact's files. */
async function unpacked(artifact: string): Promise<string> {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong', 'samples');
  const folder = join(root, artifact.replaceAll(':', '_'));
  if ((await readdir(folder).catch((): string[] => [])).length > 0) return folder;
  const workspace = join(root, `.fetching-${process.pid}-${artifact.replaceAll(':', '_')}`);
  await mkdir(workspace, { recursive: true });
  try {
    const goals = ['dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${workspace}`];
    await run('mvn', ['-q', '-B', ...goals], { cwd: workspace, timeout: FETCH_TIMEOUT_MS });
    await rename(workspace, folder);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
  return folder;
}

/** As its own runner reads them: lines `delimiter,/path`; `#` leaves a file out. */
async function booksStatements(folder: string): Promise<string[]> {
  const list = await readFile(join(folder, 'postgresql.scripts.txt'), 'utf8');
  const scripts = list.split('\n').filter((line) => /^[;@],/.test(line));
  return Promise.all(
    scripts.map(async (line) => {
      const text = await readFile(join(folder, line.slice(2).trim()), 'utf8');
      return line.startsWith('@') ? text.replace(/^@$/gm, ';') : text;
    }),
  );
}

async function debeziumStatements(folder: string): Promise<string[]> {
  const files = ['init_database.ddl', 'postgres_create_tables.ddl'];
  const definitions = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const rows = await readFile(join(folder, 'io/debezium/connector/postgresql/AbstractRecordsProducerTest.class'));
  const inserts = constantTexts(rows).filter((text) => /^INSERT INTO .*VALUES/is.test(text));
  return [...definitions.flatMap((text) => text.split(/;\s*\n/)), ...inserts];
}

/** Bytes of each kind of constant, its tag left out: The Java Virtual Machine Specification, section 4.4. */
const CONSTANT_BYTES: Record<number, number> = {
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 2,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 4,
  15: 3,
  16: 2,
  17: 4,
  18: 4,
  19: 2,
  20: 2,
};
const [UTF8, LONG, DOUBLE] = [1, 5, 6];

/** Every text of a compiled class. */
function constantTexts(bytes: Buffer): string[] {
  const texts: string[] = [];
  const count = bytes.readUInt16BE(8);
  let at = 10;
  for (let i = 1; i < count; i++) {
    const tag = bytes[at++]!;
    if (tag === UTF8) {
      const length = bytes.readUInt16BE(at);
      texts.push(bytes.toString('utf8', at + 2, at + 2 + length));
      at += 2 + length;
    } else at += CONSTANT_BYTES[tag]!;
    // These two take two places.
    if (tag === LONG || tag === DOUBLE) i++;
  }
  return texts;
}
