/**
 * `npm run guarantees`: writes docs/GUARANTEES.md from promises.yaml and the report of the last `npm test`. With
 * `--check` it writes nothing, and fails where the committed document promises something else.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Chapter, guaranteesDocument, withoutResults } from './guarantees.ts';
import { readReport } from './report.ts';

const root = join(import.meta.dirname, '..', '..');
const document = join(root, 'docs', 'GUARANTEES.md');
const report = join(root, '.huitong', 'tests.json');

try {
  const chapters = parse(await readFile(join(import.meta.dirname, 'promises.yaml'), 'utf8')) as Chapter[];
  const results = await readReport(report, root);
  const text = guaranteesDocument(chapters, results);
  if (!process.argv.includes('--check')) await writeFile(document, text);
  else await check(text);
  const promises = chapters.flatMap((chapter) => chapter.promises).length;
  console.log(`guarantees: ${promises} promises, ${results.size} tests in the last run`);
} catch (e: unknown) {
  console.error(e instanceof Error ? e.message : e);
  process.exitCode = 1;
}

async function check(text: string): Promise<void> {
  const committed = await readFile(document, 'utf8').catch(() => '');
  if (withoutResults(committed) !== withoutResults(text)) {
    throw new Error('docs/GUARANTEES.md is not what test/guarantees/promises.yaml says: run `npm run guarantees`');
  }
}
