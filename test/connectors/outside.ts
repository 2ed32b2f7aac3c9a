/** The example as a project of its own, which has Huitong among its dependencies. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** As the guide shows it. */
export const vitestConfig = `export default { resolve: { dedupe: ['vitest', 'apache-arrow'] } };\n`;

const typescript = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023'],
    types: ['node'],
    module: 'NodeNext',
    noEmit: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    strict: true,
    skipLibCheck: true,
  },
};

/** Writes the project into an empty folder. */
export async function makeOutsideProject(folder: string): Promise<void> {
  const example = join(root, 'connectors', 'conformance', 'example');
  for (const file of await readdir(example)) {
    const text = await readFile(join(example, file), 'utf8');
    await writeFile(join(folder, file), text.replaceAll(`'../../index.ts'`, `'huitong/connector'`));
  }
  const test = await readFile(join(root, 'test', 'connectors', 'example.test.ts'), 'utf8');
  const own = test
    .replace(`'../../connectors/conformance/kit.ts'`, `'huitong/conformance'`)
    .replace(`'../../lib/limits.ts'`, `'huitong/connector'`)
    .replace(`'../../connectors/conformance/example/index.ts'`, `'./index.ts'`);
  await writeFile(join(folder, 'example.test.ts'), own);
  await writeFile(join(folder, 'vitest.config.ts'), vitestConfig);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(typescript));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
  await symlink(root, join(folder, 'node_modules', 'huitong'));
  for (const name of ['vitest', 'apache-arrow', '@types/node'])
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
}
