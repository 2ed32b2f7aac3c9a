/**
 * One JavaScript file of a TypeScript entry and all that it imports, for threads and processes that start often. With
 * its packages inside, a thread starts in 0.12 s of CPU and 24 MB; with packages left out, in 0.44 s and 38 MB: most of
 * that is Node looking for several hundred files (docs/decisions/0010-reading-threads-are-bundled.md).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HuitongError } from './errors.ts';
import { bundleFolders, changedAt, keptBundle, noteOf, stateOf } from './kept-bundle.mjs';

/** Native code, WebAssembly that is found from its package, what is large and seldom needed, what makes bundles, and what `pg` would use. */
const LEFT_OUT = ['parquet-wasm', '@aws-sdk/*', 'zstd-napi', 'zstd-napi/*', 'esbuild', 'pg-native'];

const bundles = new Map<string, Promise<URL>>();

/**
 * Where the bundle of `entry` lies; JavaScript is its own bundle. It is made once, and again when one of its files has
 * changed. Beside it, named `….map`, is its source map. @throws HuitongError CONFIG_INVALID where it cannot be written
 */
export function bundleOf(entry: URL): Promise<URL> {
  if (!entry.pathname.endsWith('.ts')) return Promise.resolve(entry);
  let bundle = bundles.get(entry.href);
  if (bundle === undefined) {
    const kept = keptBundle(entry);
    bundle = (kept === undefined ? make(entry) : Promise.resolve(kept)).then(pathToFileURL);
    bundles.set(entry.href, bundle);
    // A failure (no room) may pass.
    bundle.catch(() => bundles.delete(entry.href));
  }
  return bundle;
}

/** Returns the bundle's path. */
async function make(entry: URL): Promise<string> {
  // Not needed where nothing has changed.
  const { build } = await import('esbuild');
  const root = process.cwd();
  const path = fileURLToPath(entry);
  const begun = Date.now();
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    // Packages that are left out are found from the sources, wherever the bundle lies.
    banner: { js: `require = require('node:module').createRequire(${JSON.stringify(path)});` },
    bundle: true,
    entryPoints: [path],
    external: LEFT_OUT,
    // Not ESM: packages that `require` Node's own modules go on as they are.
    format: 'cjs',
    logLevel: 'silent',
    metafile: true,
    outdir: '/',
    platform: 'node',
    sourcemap: 'external',
    sourcesContent: false,
    target: 'node20',
    write: false,
  });
  const contentOf = (suffix: string) => outputFiles.find((file) => file.path.endsWith(suffix))!.contents;
  const code = contentOf('.js');
  // This file too: it decides how a bundle is made.
  const paths = [...Object.keys(metafile.inputs), import.meta.filename].map((input) => resolve(root, input));
  const inputs = Object.fromEntries(paths.map((input) => [input, stateSince(begun, input)]));
  // Named by its content: processes that have the same code share it, and it is never changed.
  const bundle = `${createHash('sha256').update(code).digest('hex')}.cjs`;
  const note = JSON.stringify({ bundle, inputs });
  return keep({ [`${bundle}.map`]: contentOf('.map'), [bundle]: code, [noteOf(entry)]: note }, bundle);
}

/** What changed while it was read may be in the bundle or not: such a file is never taken for unchanged. */
function stateSince(begun: number, path: string): string {
  const state = stateOf(path);
  return state === undefined || changedAt(state) >= begun ? '' : state;
}

/** Writes the files to the first folder that takes them. Another process may be doing the same: whole files only. */
async function keep(files: Record<string, Uint8Array | string>, bundle: string): Promise<string> {
  let cause: unknown;
  for (const folder of bundleFolders()) {
    try {
      await mkdir(folder, { recursive: true });
      for (const [name, content] of Object.entries(files)) {
        const draft = join(folder, `${randomUUID()}.draft`);
        await writeFile(draft, content);
        await rename(draft, join(folder, name));
      }
      return join(folder, bundle);
    } catch (e: unknown) {
      cause = e;
    }
  }
  throw new HuitongError('CONFIG_INVALID', 'a bundle of the program’s own code cannot be kept', {
    cause,
    at: bundleFolders().join(' or '),
    hint: 'Let the process write to one of these folders; XDG_CACHE_HOME moves the second.',
  });
}
