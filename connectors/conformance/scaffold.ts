/**
 * A new kind from the example that the guide builds (`example/`): its folder, its tests, its lines in the registry and
 * in the reference. What is made passes the conformance suite as it is; its author then puts a source in its place.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HuitongError } from '../../lib/errors.ts';
import { connectorKinds, connectorOf } from '../registry.ts';
import { example } from './example/index.ts';
import { referencePath, withResults } from './reference.ts';

const KIND = /^[a-z][a-z0-9]{1,30}$/;
const KEYWORDS = ['case', 'class', 'const', 'default', 'delete', 'enum', 'export', 'function', 'import', 'interface'];
const registryPath = 'connectors/registry.ts';
const examplePath = 'connectors/conformance/example';
const exampleTestPath = 'test/connectors/example.test.ts';

/**
 * Writes the files of a new kind.
 * @param root the repository's folder
 * @returns the paths that were written or changed, relative to it
 * @throws HuitongError CONFIG_INVALID where the name will not do, or is taken
 */
export async function scaffold(root: string, kind: string): Promise<string[]> {
  await assertFree(root, kind);
  const files = new Map<string, string>();
  for (const file of (await readdir(join(root, examplePath))).sort()) {
    const text = await readFile(join(root, examplePath, file), 'utf8');
    files.set(`connectors/${kind}/${file}`, named(text.replaceAll(`'../../index.ts'`, `'../index.ts'`), kind));
  }
  const test = await readFile(join(root, exampleTestPath), 'utf8');
  const own = test.replaceAll('connectors/conformance/example/', `connectors/${kind}/`);
  files.set(`test/connectors/${kind}.test.ts`, named(own, kind));
  files.set(registryPath, registered(await readFile(join(root, registryPath), 'utf8'), kind));
  files.set(referencePath, described(await readFile(join(root, referencePath), 'utf8'), kind));
  await mkdir(join(root, 'connectors', kind));
  for (const [path, text] of files) await writeFile(join(root, path), text);
  return [...files.keys()];
}

async function assertFree(root: string, kind: string): Promise<void> {
  const refuse = (why: string) => {
    throw new HuitongError('CONFIG_INVALID', `a kind cannot be called ${JSON.stringify(kind)}: ${why}`, {
      hint: 'Choose a name of 2 to 31 lower-case letters and digits, the first a letter, such as `oracle`.',
    });
  };
  if (!KIND.test(kind)) refuse('it becomes a folder and a variable');
  if (KEYWORDS.includes(kind)) refuse('it is a word of the language');
  const isThere = await stat(join(root, 'connectors', kind)).then(
    () => true,
    () => false,
  );
  if (isThere || connectorKinds().includes(kind) || kind === example.kind) refuse('there is one of this name');
}

/** The example under another name. */
function named(text: string, kind: string): string {
  return text.replaceAll('Example', titleOf(kind)).replaceAll(/\bexample\b/g, kind);
}

function titleOf(kind: string): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** The registry with an import and a line of its map more, both in order. */
function registered(registry: string, kind: string): string {
  const imported = withLine(registry, /^import \{ \w+ \} from '\.\/[\w-]+\/index\.ts';$/, [
    `import { ${kind} } from './${kind}/index.ts';`,
  ]);
  return withLine(imported, /^ {2}\[\w+\.kind, \w+ as Connector\],$/, [`  [${kind}.kind, ${kind} as Connector],`]);
}

/** Adds to the block of lines that look like `pattern`, and sorts it. */
function withLine(text: string, pattern: RegExp, added: string[]): string {
  const lines = text.split('\n');
  const block = lines.filter((line) => pattern.test(line));
  const first = lines.findIndex((line) => pattern.test(line));
  if (first < 0) {
    throw new HuitongError('INTERNAL', `${registryPath} is not written as the scaffold expects`, {
      at: String(pattern),
    });
  }
  const others = lines.filter((line) => !pattern.test(line));
  return [...others.slice(0, first), ...[...block, ...added].sort(), ...others.slice(first)].join('\n');
}

function described(document: string, kind: string): string {
  const title = { ...example.title, en: titleOf(kind) };
  return withResults(document, [...connectorKinds().map(connectorOf), { ...example, kind, title }], new Map());
}
