/**
 * Tells the failed tests of the report that `npm test` leaves, each in a few lines.
 * A log of CI is often cut: these lines follow the step that failed, and its names are told once more at the end.
 *
 * Use: node .ci/failures.mjs <report.json> [--names | --files]
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const LINES_MAX = 14;
const LINE_CHARACTERS_MAX = 300;

const [path, option] = process.argv.slice(2);
const { testResults } = JSON.parse(readFileSync(path, 'utf8'));

/** The start of a message, without colours and without a stack's inner frames. */
function shortened(message) {
  return stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/node_modules|node:internal/.test(line))
    .slice(0, LINES_MAX)
    .map((line) => `    ${line.slice(0, LINE_CHARACTERS_MAX)}`)
    .join('\n');
}

for (const file of testResults) {
  const name = relative(process.cwd(), file.name);
  const failures = file.assertionResults.filter((test) => test.status === 'failed');
  if (failures.length === 0 && file.status === 'failed')
    failures.push({ fullName: '(the file itself)', failureMessages: [file.message] });
  if (option === '--files') {
    if (failures.length > 0) console.log(name);
    continue;
  }
  for (const { fullName, failureMessages } of failures) {
    console.log(`::: failed: ${name} › ${fullName}`);
    if (option !== '--names') console.log(shortened(failureMessages.join('\n')));
  }
}
