/** `npm run connector:new <kind>`: a connector that works, and its tests, to begin with. docs/guides/connectors.md. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scaffold } from '../connectors/conformance/scaffold.ts';
import { isHuitongError } from '../lib/errors.ts';

const root = join(import.meta.dirname, '..');
const kind = process.argv[2] ?? '';

try {
  const files = await scaffold(root, kind);
  // Names of another length break lines elsewhere, and sort otherwise.
  const sources = files.filter((file) => file.endsWith('.ts'));
  spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['check', '--write', ...sources], { cwd: root });
  console.log([...files.map((file) => `  ${file}`), '', ...nextSteps()].join('\n'));
} catch (e: unknown) {
  if (!isHuitongError(e)) throw e;
  console.error(`${e.message}\n${e.hint}`);
  process.exitCode = 1;
}

function nextSteps(): string[] {
  return [
    `Kind ${kind} reads folders of tab-separated tables, and passes its suite: npm run conformance ${kind}`,
    'Put your source in its place, file by file: docs/guides/connectors.md',
  ];
}
