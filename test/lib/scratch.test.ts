/** Temporary folders of processes that were killed go with the next start; those of living ones stay. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeScratch, sweepScratch } from '../../lib/scratch.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'huitong-scratch-test-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A process that has made a folder with a file in it, and waits. */
async function startMaker() {
  const code = `
    import { writeFileSync } from 'node:fs';
    import { makeScratch } from ${JSON.stringify(new URL('../../lib/scratch.ts', import.meta.url).href)};
    const folder = await makeScratch('keys', ${JSON.stringify(root)});
    writeFileSync(folder + '/spilled', 'secret');
    console.log(folder);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, name: basename(line.toString().trim()) };
}

test('a killed process’s folders are removed with what is in them, and not before it is dead', async () => {
  const { child, name } = await startMaker();
  const own = basename(await makeScratch('uploads', root));
  expect(await sweepScratch(root)).toBe(0);
  expect((await readdir(root)).sort()).toEqual([name, own].sort());
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await sweepScratch(root)).toBe(1);
  expect(await readdir(root)).toEqual([own]);
});

test('a process id that is used again does not protect what the process before it left', async () => {
  const own = basename(await makeScratch('keys', root));
  const [, start] = /-\d+-([0-9a-f]{12})-/.exec(own) ?? [];
  const before = own.replace(String(start), '0'.repeat(12));
  await mkdir(join(root, before));
  expect(await sweepScratch(root)).toBe(1);
  expect(await readdir(root)).toEqual([own]);
});

test('what another machine or container made, and what is nobody’s, stays', async () => {
  const own = basename(await makeScratch('keys', root));
  const others = [
    own.replace(/-([0-9a-f]{12})-(\w{6})$/, `-${'0'.repeat(12)}-$2`),
    'huitong-keys-AbCdEf',
    'huitong-lookups',
  ];
  for (const name of others) await mkdir(join(root, name));
  await writeFile(join(root, 'file'), '');
  expect(await sweepScratch(root)).toBe(0);
  expect(await readdir(root)).toHaveLength(others.length + 2);
});

test('a folder that cannot be listed is no reason to fail', async () => {
  expect(await sweepScratch(join(root, 'absent'))).toBe(0);
});
