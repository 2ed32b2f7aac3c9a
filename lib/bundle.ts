/**
 * One JavaScript file of a TypeScript entry and all that it imports, for threads and processes that start often. With
 * its packages inside, a thread starts in 0.12 s of CPU and 24 MB; with packages left out, in 0.44 s and 38 MB: most of
 * that is Node looking for several hundred files (docs/decisions/0010-reading-threads-are-bundled.md).
 */
import { createHash, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HuitongError } from './errors.ts';

/** Below our own node_modules, because native packages are left out of a bundle and are found from where it lies. */
const FOLDER = '../node_modules/.cache/huitong/bundles/';
/** Native code, WebAssembly that is found from its package, what is large and seldom needed, what makes bundles, and what `pg` would use. */
const LEFT_OUT = ['parquet-wasm', '@aws-sdk/*', 'zstd-napi', 'zstd-napi/*', 'esbuild', 'pg-native'];

const bundles = new Map<string, Promise<URL>>();

/** Kept beside a bundle: what it was made of. */
interface Made {
  bundle: string;
  /** Size and time of change of each file, by path. */
  inputs: Record<string, string>;
}

/**
 * Where the bundle of `entry` lies; JavaScript is its own bundle. It is made once, and again when one of its files has
 * changed. @throws HuitongError CONFIG_INVALID where it cannot be written
 */
export function bundleOf(entry: URL): Promise<URL> {
  if (!entry.pathname.endsWith('.ts')) return Promise.resolve(entry);
  let bundle = bundles.get(entry.href);
  if (bundle === undefined) {
    bundle = madeBefore(entry).then((made) => made ?? make(entry));
    bundles.set(entry.href, bundle);
    // A failure (no room) may pass.
    bundle.catch(() => bundles.delete(entry.href));
  }
  return bundle;
}

function inFolder(name: string): URL {
  return new URL(name, new URL(FOLDER, import.meta.url));
}

/** The note of what an entry's bundle was made of. */
function noteOf(entry: URL): string {
  return `${createHash('sha256').update(entry.href).digest('hex')}.json`;
}

async function madeBefore(entry: URL): Promise<URL | undefined> {
  const text = await readFile(inFolder(noteOf(entry)), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { bundle, inputs } = JSON.parse(text) as Made;
  const file = inFolder(bundle);
  const current = stateOf(fileURLToPath(file)) !== undefined;
  return current && Object.entries(inputs).every(([path, state]) => stateOf(path) === state) ? file : undefined;
}

async function make(entry: URL): Promise<URL> {
  // Not needed where nothing has changed.
  const { build } = await import('esbuild');
  const root = process.cwd();
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    entryPoints: [fileURLToPath(entry)],
    external: LEFT_OUT,
    // Not ESM: packages that `require` Node's own modules go on as they are.
    format: 'cjs',
    logLevel: 'silent',
    metafile: true,
    platform: 'node',
    target: 'node20',
    write: false,
  });
  const code = outputFiles[0]!.contents;
  const paths = Object.keys(metafile.inputs).map((path) => resolve(root, path));
  const inputs = Object.fromEntries(paths.map((path) => [path, stateOf(path) ?? '']));
  // Named by its content: processes that have the same code share it, and it is never changed.
  const bundle = `${createHash('sha256').update(code).digest('hex')}.cjs`;
  await writeWhole(bundle, code);
  await writeWhole(noteOf(entry), JSON.stringify({ bundle, inputs } satisfies Made));
  return inFolder(bundle);
}

/** Another process may be doing the same: whole files only. */
async function writeWhole(name: string, content: Uint8Array | string): Promise<void> {
  const draft = inFolder(`${randomUUID()}.draft`);
  try {
    await mkdir(inFolder('.'), { recursive: true });
    await writeFile(draft, content);
    await rename(draft, inFolder(name));
  } catch (cause) {
    throw new HuitongError('CONFIG_INVALID', 'a thread cannot be prepared', {
      cause,
      at: fileURLToPath(inFolder('.')),
      hint: 'Let the process write to this folder, or run an extract once while building its image.',
    });
  }
}

/** Undefined: there is no such file. */
function stateOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.size} ${found.mtimeMs}`;
}
