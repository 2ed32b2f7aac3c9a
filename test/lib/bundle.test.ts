import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let directory: string;
const require = createRequire(import.meta.url);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-bundle-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** As a process that starts now would see it. */
async function bundleOfNewProcess(entry: URL): Promise<URL> {
  vi.resetModules();
  return (await import('../../lib/bundle.ts')).bundleOf(entry);
}

async function forget(bundle: URL): Promise<void> {
  await Promise.all([rm(bundle), rm(new URL(`${bundle.href}.map`))]);
}

test('a bundle is used again until one of its files changes', async () => {
  const entry = pathToFileURL(join(directory, 'entry.ts'));
  const part = join(directory, 'part.ts');
  await writeFile(entry, `export { answer } from './part.ts';`);
  await writeFile(part, 'export const answer: number = 41;');
  const first = await bundleOfNewProcess(entry);
  expect(await bundleOfNewProcess(entry)).toEqual(first);
  await writeFile(part, 'export const answer: number = 42; // and longer');
  const second = await bundleOfNewProcess(entry);
  expect(second).not.toEqual(first);
  expect([first, second].map((bundle) => require(fileURLToPath(bundle)).answer)).toEqual([41, 42]);
  await Promise.all([first, second].map(forget));
});

test('a bundle that somebody removed is made again', async () => {
  const entry = pathToFileURL(join(directory, 'alone.ts'));
  await writeFile(entry, 'export const answer = 1;');
  const bundle = await bundleOfNewProcess(entry);
  await rm(bundle);
  expect(await bundleOfNewProcess(entry)).toEqual(bundle);
  expect(require(fileURLToPath(bundle)).answer).toBe(1);
  await forget(bundle);
});

test('JavaScript is its own bundle', async () => {
  const entry = new URL('file:///somewhere/thread.mjs');
  expect(await bundleOfNewProcess(entry)).toBe(entry);
});
