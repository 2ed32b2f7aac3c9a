/** Which test files hold the conformance suite of which kind. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectorKinds } from '../../connectors/registry.ts';

const root = join(import.meta.dirname, '..', '..');

/** By kind of the registry: `test/connectors/<kind>….test.ts` and in the folder of that name, where the kit is called. */
export async function conformanceSuites(): Promise<Map<string, string[]>> {
  const folder = join(root, 'test', 'connectors');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.test.ts')).sort();
  const suites = new Map<string, string[]>();
  for (const kind of connectorKinds()) {
    const named = files.filter((file) => file.startsWith(`${kind}/`) || isNamedAs(kind, file));
    const texts = await Promise.all(named.map((file) => readFile(join(folder, file), 'utf8')));
    const calling = named.filter((_, i) => texts[i]?.includes('testConnector('));
    suites.set(
      kind,
      calling.map((file) => join('test', 'connectors', file)),
    );
  }
  return suites;
}

function isNamedAs(kind: string, file: string): boolean {
  return file === `${kind}.test.ts` || file.startsWith(`${kind}.`) || file.startsWith(`${kind}-`);
}
