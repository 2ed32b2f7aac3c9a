/** The README's five minutes, command by command, against an exchange with the health department of Longhua. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { districtFolder, fill, readDistrictFiles, withClient } from '../districts/longhua.ts';
import { openExchange, type TestExchange } from '../server/exchange.ts';
import { createDatabase } from '../support/postgres.ts';
import { run, spawnCommand } from './support.ts';

const root = join(import.meta.dirname, '../..');
const SCALE = 0.02;
let exchange: TestExchange;
let database: Awaited<ReturnType<typeof createDatabase>>;
let folder: string;
beforeAll(async () => {
  exchange = await openExchange();
  database = await createDatabase();
  await fill(database.url, 'health.sql', { scale: SCALE });
  // The department's own login would not see it.
  await withClient(database.url, (client) => client.query('drop schema planted cascade'));
  exchange.secrets.LONGHUA_HEALTH_URL = database.url;
  folder = await mkdtemp(join(tmpdir(), 'huitong-readme-'));
  await exchange.apply(await readDistrictFiles());
  const tokens = {
    administrator: await exchange.token('data', 'administrator'),
    health: await exchange.token('health', 'officer', 'engineer'),
    traffic: await exchange.token('traffic', 'officer', 'engineer'),
  };
  await mkdir(join(folder, '.huitong'));
  await writeFile(join(folder, '.huitong/cli.json'), JSON.stringify({ url: exchange.url, tokens }));
  await mkdir(join(folder, 'districts'));
  await symlink(districtFolder, join(folder, 'districts/longhua'));
  // As `npm run demo` leaves it.
  await run('publish', 'health.vaccinations', '--url', exchange.url, '--token', tokens.health);
});
afterAll(async () => {
  await exchange.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

interface Shown {
  command: string;
  output: string;
}

/** Blocks of a shell: each command with what is printed below it. */
async function shownIn(readme: string): Promise<Shown[]> {
  const text = await readFile(join(root, readme), 'utf8');
  const blocks = [...text.matchAll(/^```\n(\$ [\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  return blocks
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((shown) => {
      const [command = '', ...lines] = shown.trimEnd().split('\n');
      return { command, output: lines.join('\n') };
    });
}

/** What stays the same whatever the machine, the size of the tables and the moment. */
function shapeOf(output: string): string[] {
  const shapes = output
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'ID')
        .replace(/(logged in to) \S+ as \S+|; changes can.*/, '$1')
        .replace(/[\d,.:]*\d( [kM]?B)?/g, 'N')
        .replace(/\b[A-Z][A-Z_]+\b( \/\w+)?/g, 'CODE')
        .replace(/\b(part)s\b|(from) (?:all|the first)\b/g, '$1$2')
        .replace(/─+/g, '─')
        .replace(/ +/g, ' ')
        .trimEnd(),
    );
  return [...new Set(shapes)];
}

test('both READMEs show the same commands with the same output', async () => {
  expect(await shownIn('README.zh-CN.md')).toEqual(await shownIn('README.md'));
});

test('every command prints what stands below it', async () => {
  const tour = await shownIn('README.md');
  expect(tour.length).toBeGreaterThan(8);
  // As a shell whose `npx` knows this checkout: $1 and $2 are the command, $3 is where, $4 what is typed.
  const script = 'node=$1 huitong=$2; npx() { shift; "$node" "$huitong" "$@"; }; cd "$3" && eval "$4"';
  let lastRun = '';
  for (const { command, output } of tour) {
    const typed = command.replace(/[\da-f]{8}-[\da-f-]{27}/, lastRun);
    const { stdout, stderr } = await spawnCommand([folder, typed], { script });
    lastRun = /quarantine ([\da-f-]{36})/.exec(stdout)?.[1] ?? lastRun;
    expect({ command, shape: shapeOf(stdout + stderr) }).toEqual({ command, shape: shapeOf(output) });
  }
});
