/**
 * Starts a thread whose entry is a TypeScript file. A thread does not take over how its parent learned TypeScript; tsx
 * in each thread costs 58 MB and more than a second (measured), so the entry is bundled once a process instead: 25 MB
 * and a third of a second.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { HuitongError } from '../lib/errors.ts';

/** Below our own node_modules, because packages are left out of the bundle and are found from where it lies. */
const BUNDLES = new URL('../node_modules/.cache/huitong/threads/', import.meta.url);
const bundles = new Map<string, Promise<URL>>();

export async function startThread(entry: URL, workerData: unknown): Promise<Worker> {
  let bundle = bundles.get(entry.href);
  if (bundle === undefined) {
    bundle = bundleOf(entry);
    bundles.set(entry.href, bundle);
    // A failure (no room) may pass.
    bundle.catch(() => bundles.delete(entry.href));
  }
  // Not the parent's own flags: `--import tsx` is among them.
  return new Worker(await bundle, { workerData, execArgv: [] });
}

/** Named by its content: written once, and shared by all processes that have the same code. */
async function bundleOf(entry: URL): Promise<URL> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: 'esm',
    packages: 'external',
    platform: 'node',
    target: 'node20',
    write: false,
  });
  const code = outputFiles[0]!.contents;
  const file = new URL(`${createHash('sha256').update(code).digest('hex')}.mjs`, BUNDLES);
  if (await exists(file)) return file;
  try {
    await mkdir(BUNDLES, { recursive: true });
    // Another process may be doing the same: whole files only.
    const draft = new URL(`${randomUUID()}.mjs`, BUNDLES);
    await writeFile(draft, code);
    await rename(draft, file);
    return file;
  } catch (cause) {
    throw new HuitongError('CONFIG_INVALID', 'a reading thread cannot be prepared', {
      cause,
      at: fileURLToPath(BUNDLES),
      hint: 'Let the worker write to this folder, or run an extract once while building its image.',
    });
  }
}

function exists(file: URL): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
