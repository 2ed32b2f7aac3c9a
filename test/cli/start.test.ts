/** How the command starts, and what it says of itself. It needs no exchange. */
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from '../../cli/main.ts';
import { run } from './support.ts';

const root = join(import.meta.dirname, '../..');
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-start-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A checkout with the packages that make a bundle, in which the command is `main`. */
async function checkout(name: string, main: string): Promise<string> {
  const folder = join(directory, name);
  const files = ['cli/huitong.mjs', 'cli/stack.ts', 'lib/kept-bundle.mjs', 'lib/bundle.ts', 'lib/errors.ts'];
  for (const path of [...files, 'lib/error-codes.ts', 'package.json']) await cp(join(root, path), join(folder, path));
  await writeFile(join(folder, 'cli/main.ts'), main);
  await mkdir(join(folder, 'node_modules'));
  await install(folder);
  return folder;
}

const makers = ['tsx', 'esbuild'];

async function install(folder: string): Promise<void> {
  for (const name of makers) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
}

/** What follows runs with what was made before, or not at all. */
async function uninstall(folder: string): Promise<void> {
  for (const name of makers) await rm(join(folder, 'node_modules', name));
}

function saying(word: string): string {
  return `export const main = async (argv: string[]): Promise<number> => console.log('${word}', ...argv.slice(2)) ?? 0;`;
}

async function start(program: string, cache = join(directory, 'cache')): Promise<string> {
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: cache };
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'a'], { env, cwd: directory });
  return stdout.trim();
}

describe('the command is one bundled file', () => {
  test('made at the first start, by several at once; used as it is until a source changes', async () => {
    const folder = await checkout('plain', saying('one'));
    const program = join(folder, 'cli/huitong.mjs');
    expect(await Promise.all([1, 2, 3].map(() => start(program)))).toEqual(['one a', 'one a', 'one a']);
    await uninstall(folder);
    expect(await start(program)).toBe('one a');
    const linked = join(directory, 'huitong');
    await symlink(program, linked);
    expect(await start(linked)).toBe('one a');
    await install(folder);
    await writeFile(join(folder, 'cli/main.ts'), saying('another'));
    expect(await start(program)).toBe('another a');
  });

  test('a checkout that cannot be written keeps it in the user’s folder; two checkouts never mix', async () => {
    const folders = [await checkout('left', saying('left')), await checkout('right', saying('right'))];
    for (const folder of folders) await writeFile(join(folder, 'node_modules/.cache'), 'no folder');
    const programs = folders.map((folder) => join(folder, 'cli/huitong.mjs'));
    const both = () => Promise.all(programs.map((program) => start(program)));
    expect(await both()).toEqual(['left a', 'right a']);
    for (const folder of folders) await uninstall(folder);
    expect(await both()).toEqual(['left a', 'right a']);
  });

  test('where it cannot be kept at all, the sources are run', async () => {
    const folder = await checkout('nowhere', saying('slowly'));
    const cache = join(folder, 'node_modules/.cache');
    await writeFile(cache, 'no folder');
    expect(await start(join(folder, 'cli/huitong.mjs'), cache)).toBe('slowly a');
  });

  test('a stack names the sources', async () => {
    const folder = await checkout(
      'failing',
      `import { inSources } from './stack.ts';
      interface Nothing {}
      export async function main(): Promise<number> {
        console.log(inSources(new Error('here').stack ?? ''));
        return 0;
      }`,
    );
    expect(await start(join(folder, 'cli/huitong.mjs'))).toMatch(/at main \(\/.*\/failing\/cli\/main\.ts:4:\d+\)/);
  });
});

describe('what it says of itself', () => {
  test('alone: every command, once, under the person whose it is', async () => {
    const { code, stdout } = await run();
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('  '));
    expect(lines.length).toBe(5);
    const shown = lines.flatMap((line) => line.trim().split(/ {2,}/)[1]!.split(' '));
    const known = buildProgram().commands.map((command) => command.name());
    expect(shown.sort()).toEqual([...known, 'help'].sort());
  });

  test('its version; `read` has a --version of its own', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const away = await run('read', 'x', '--format', 'csv', '--version', '2', '--url', 'http://127.0.0.1:9');
    expect(away.code).toBe(3);
  });

  test.each([
    ['so', ['source']],
    ['source di', ['discover']],
    ['--as health pub', ['publish']],
    ['read health.people --fo', ['--format']],
    ['apply distr', []],
  ])('bash completes: huitong %s', async (typed, expected) => {
    const { stdout: script } = await run('completion', 'bash');
    const words = ['huitong', ...typed.split(' ')];
    const asked = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _huitong; echo "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['--norc', '-c', `${script}\n${asked}`], { encoding: 'utf8' });
    expect(stdout.trim().split(' ').filter(Boolean)).toEqual(expected);
  });
});
