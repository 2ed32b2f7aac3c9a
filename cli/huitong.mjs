#!/usr/bin/env node
/**
 * The `huitong` command: a checkout needs no build. It runs as one bundled file, made at the first start and again when
 * a source has changed (docs/decisions/0010-reading-threads-are-bundled.md); TypeScript is learned only for that.
 */
import { createRequire } from 'node:module';
import { keptBundle } from '../lib/kept-bundle.mjs';

// A reader that has enough (`| head`) closes the pipe: that is the end of the command, not a failure. A full disk is.
process.stdout.on('error', ({ code }) => {
  if (code !== 'EPIPE') process.stderr.write(`无法写入标准输出 standard output cannot be written: ${code}\n`);
  process.exit(code === 'EPIPE' ? 0 : 1);
});
process.stderr.on('error', () => process.exit(1));
const entry = new URL('./main.ts', import.meta.url);
const bundle = keptBundle(entry);
const { main } = bundle === undefined ? await prepare() : load(bundle);
process.exitCode = await main(process.argv);

function load(path) {
  return createRequire(import.meta.url)(path);
}

/** Makes the bundle; where it cannot be kept, or the sources cannot be bundled, they are run as they are. */
async function prepare() {
  const { register } = await import('tsx/esm/api');
  register();
  const { bundleOf } = await import('../lib/bundle.ts');
  return bundleOf(entry).then(
    ({ pathname }) => load(decodeURIComponent(pathname)),
    () => import('./main.ts'),
  );
}
