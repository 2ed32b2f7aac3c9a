/** What `npm run connector:new` makes is green as it is: it compiles, it is formatted, and it conforms. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaffold } from '../../connectors/conformance/scaffold.ts';
import { connectorKinds } from '../../connectors/registry.ts';

const root = join(import.meta.dirname, '..', '..');
const KIND = 'parish';
let copy: string;
let files: string[];

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'huitong-scaffold-'));
  for (const path of [
    'connectors',
    'columnar',
    'lib',
    'schemas',
    'package.json',
    'tsconfig.json',
    'biome.json',
    '.gitignore',
  ])
    await cp(join(root, path), join(copy, path), { recursive: true });
  await mkdir(join(copy, 'docs/reference'), { recursive: true });
  await mkdir(join(copy, 'test/connectors'), { recursive: true });
  for (const path of ['docs/reference/connectors.md', 'test/connectors/example.test.ts'])
    await cp(join(root, path), join(copy, path));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  files = await scaffold(copy, KIND);
});
afterAll(() => rm(copy, { recursive: true, force: true }));

test('the same files as other kinds have, tests, and a line in the registry and the reference', async () => {
  expect(files).toEqual([
    ...['check', 'config', 'discover', 'index', 'plan', 'read', 'relation', 'types'].map(
      (name) => `connectors/${KIND}/${name}.ts`,
    ),
    `test/connectors/${KIND}.test.ts`,
    'connectors/registry.ts',
    'docs/reference/connectors.md',
  ]);
  const text = (path: string) => readFile(join(copy, path), 'utf8');
  for (const file of files.slice(0, -2)) expect(await text(file), file).not.toMatch(/example/i);
  const registry = await text('connectors/registry.ts');
  expect(registry).toContain(`import { ${KIND} } from './${KIND}/index.ts';`);
  expect(registry.match(/as Connector\]/g)).toHaveLength(connectorKinds().length + 1);
  const reference = await text('docs/reference/connectors.md');
  expect(reference).toContain(
    `| \`${KIND}\` | Parish 示例数据源 | none, and versions say so | – | – | – | not run here |`,
  );
});

test('it is formatted and linted, it compiles, and it conforms', async () => {
  const sources = files.filter((file) => file.endsWith('.ts'));
  // A test of its own folder: the repository's configuration starts services that it does not need.
  await writeFile(join(copy, 'vitest.config.ts'), 'export default {};\n');
  const project = { extends: './tsconfig.json', compilerOptions: { incremental: false }, include: sources };
  await writeFile(join(copy, 'scaffold.json'), JSON.stringify(project));
  expect(run('biome', ['check', '--write', ...sources])).toEqual({ status: 0, output: expect.any(String) });
  expect(run('tsc', ['-p', 'scaffold.json'])).toMatchObject({ status: 0, output: '' });
  const suite = run('vitest', ['run', `test/connectors/${KIND}.test.ts`, '--reporter=json']);
  const report = JSON.parse(suite.output.slice(suite.output.indexOf('{'))) as Record<string, number>;
  expect(report).toMatchObject({ success: true, numFailedTests: 0 });
  expect(report.numPassedTests).toBeGreaterThan(14);
});

test.each([
  ['', 'a folder and a variable'],
  ['Oracle', 'a folder and a variable'],
  ['../x', 'a folder and a variable'],
  ['delete', 'a word of the language'],
  ['postgres', 'there is one'],
  [KIND, 'there is one'],
])('the name %j is refused, and nothing is written', async (kind, why) => {
  const before = await readFile(join(copy, 'connectors/registry.ts'), 'utf8');
  await expect(scaffold(copy, kind)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(why),
  });
  expect(await readFile(join(copy, 'connectors/registry.ts'), 'utf8')).toBe(before);
});

function run(tool: string, argv: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', tool), argv, {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined, VITEST_POOL_ID: undefined },
  });
  return { status, output: status === 0 ? stdout : `${stdout}${stderr}` };
}
