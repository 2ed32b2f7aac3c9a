/** A connector and its suite in another project: only `huitong/connector` and `huitong/conformance` are imported. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeOutsideProject } from './outside.ts';

const bin = join(import.meta.dirname, '..', '..', 'node_modules', '.bin');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'huitong-outside-'));
  await makeOutsideProject(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('nothing of this repository is imported but by those two names', async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const imported = new Set(texts.flatMap((text) => [...text.matchAll(/from '([^']+)'/g)].map(([, name]) => name)));
  expect([...imported].filter((name) => name?.startsWith('..'))).toEqual([]);
  expect([...imported]).toEqual(expect.arrayContaining(['huitong/connector', 'huitong/conformance']));
});

test('it compiles there, and conforms', () => {
  expect(run('tsc', ['-p', '.'])).toEqual({ status: 0, output: '' });
  const { output } = run('vitest', ['run', '--reporter=json']);
  const report = JSON.parse(output.slice(output.indexOf('{'))) as Record<string, number>;
  expect(report).toMatchObject({ success: true, numFailedTests: 0 });
  expect(report.numPassedTests).toBeGreaterThan(14);
});

function run(tool: string, argv: string[]): { status: number | null; output: string } {
  const env = { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined, VITEST_POOL_ID: undefined };
  const { status, stdout, stderr } = spawnSync(join(bin, tool), argv, { cwd: folder, encoding: 'utf8', env });
  return { status, output: status === 0 ? stdout : `${stdout}${stderr}` };
}
