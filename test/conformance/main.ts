/**
 * `npm run conformance [kind …]`: runs the conformance suite of every kind, prints kind × capability × type fidelity
 * into docs/reference/connectors.md and onto the screen, and a line a kind. With `--check` the document is not written;
 * the command fails where it would change.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startVitest } from 'vitest/node';
import type { KindResult } from '../../connectors/conformance/facts.ts';
import { referencePath, withResults } from '../../connectors/conformance/reference.ts';
import { connectorOf } from '../../connectors/registry.ts';
import { ConformanceReporter } from './reporter.ts';
import { conformanceSuites } from './suites.ts';

const root = join(import.meta.dirname, '..', '..');
const document = join(root, referencePath);
const given = process.argv.slice(2);
const wanted = given.filter((argument) => !argument.startsWith('--'));

const suites = await conformanceSuites();
const kinds = wanted.length === 0 ? [...suites.keys()] : wanted;
for (const kind of kinds) connectorOf(kind);
const reporter = await run(kinds.flatMap((kind) => suites.get(kind) ?? []));
const written = await updateReference();
for (const kind of kinds) tell(kind, reporter.resultOf(kind));
for (const failure of reporter.broken) console.error(`conformance: ${failure}`);
const isGood = kinds.every((kind) => isConforming(kind, reporter.resultOf(kind)));
if (!isGood || reporter.broken.length > 0 || !written) process.exitCode = 1;

async function run(files: string[]): Promise<ConformanceReporter> {
  const reporter = new ConformanceReporter();
  if (files.length === 0) return reporter;
  const filters = { watch: false, root, reporters: [reporter], testNamePattern: '^connector ' };
  const vitest = await startVitest('test', files, filters);
  await vitest.close();
  // vitest sets it for failures, which are told below.
  process.exitCode = 0;
  return reporter;
}

/** False where the document is not what it should be, and may not be written. */
async function updateReference(): Promise<boolean> {
  const text = await readFile(document, 'utf8');
  const results = new Map(kinds.map((kind) => [kind, reporter.resultOf(kind)]));
  const updated = withResults(text, [...suites.keys()].map(connectorOf), results);
  console.log(
    updated
      .split('\n')
      .filter((line) => line.startsWith('|') && !line.startsWith('|---'))
      .join('\n'),
  );
  if (updated === text) return true;
  if (given.includes('--check')) {
    console.error(`${referencePath} is not what this run found: run \`npm run conformance\``);
    return false;
  }
  await writeFile(document, updated);
  return true;
}

function tell(kind: string, { passed, failed, skipped, failures }: KindResult): void {
  for (const failure of failures) console.error(`  ${kind} FAILED ${failure}`);
  for (const [reason, checks] of skipped) console.log(`  ${kind} skipped: ${reason} (${checks.join('; ')})`);
  if (suites.get(kind)?.length === 0)
    console.error(`  ${kind} has no file test/connectors/${kind}… with testConnector`);
  const count = [...skipped.values()].flat().length;
  console.log(`conformance ${kind} passed ${passed} failed ${failed} skipped ${count}`);
}

/** A kind whose every check was skipped says why; one without checks does not conform. */
function isConforming(kind: string, { passed, failed, skipped }: KindResult): boolean {
  return failed === 0 && passed + skipped.size > 0 && suites.get(kind)?.length !== 0;
}
