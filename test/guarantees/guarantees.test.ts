import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Chapter, guaranteesDocument, withoutResults } from './guarantees.ts';
import { resultsOf, type Status } from './report.ts';

const chapters: Chapter[] = [
  {
    chapter: 'Rows',
    promises: [
      { promise: 'None is lost.', faults: [1, 2], tests: ['test/a.test.ts > rows > add | up'] },
      { promise: 'All are of one snapshot, always.', tests: ['test/b.test.ts'], exceptions: ['Files have none.'] },
    ],
  },
];

/** A report of `test/a.test.ts > rows > add | up`, and of two tests in `test/b.test.ts`. */
function reportOf(a: Status, b: Status) {
  const assertion = (ancestorTitles: string[], title: string, status: string) => ({ ancestorTitles, title, status });
  return resultsOf(
    {
      testResults: [
        { name: '/house/test/a.test.ts', assertionResults: [assertion(['rows'], 'add | up', a)] },
        { name: '/house/test/b.test.ts', assertionResults: [assertion([], 'x', 'passed'), assertion(['s'], 'y', b)] },
      ],
    },
    '/house',
  );
}

test('each promise has its tests and how they ended; a file stands for all its tests', () => {
  const text = guaranteesDocument(chapters, reportOf('passed', 'skipped'));
  expect(text).toContain('| None is lost. (1, 2) | [a](../test/a.test.ts): rows › add \\| up | passed |\n');
  expect(text).toContain('| [b](../test/b.test.ts): all | passed, 1 of 2 skipped |\n');
  expect(text).toContain('- *All are of one snapshot*: Files have none.\n');
});

test('a failure is told; two documents that differ only in results are the same promises', () => {
  const [good, bad] = [reportOf('passed', 'passed'), reportOf('failed', 'passed')].map((results) =>
    guaranteesDocument(chapters, results),
  ) as [string, string];
  expect(bad).toContain('| **1 of 1 FAILED** |');
  expect(withoutResults(bad)).toBe(withoutResults(good));
  expect(withoutResults(bad.replace('None', 'Some'))).not.toBe(withoutResults(good));
});

test('a promise whose test is gone is an error that names it', () => {
  const results = reportOf('passed', 'passed');
  results.delete('test/a.test.ts > rows > add | up');
  expect(() => guaranteesDocument(chapters, results)).toThrow(/no test has these names:\n {2}test\/a\.test\.ts > rows/);
});

test('promises name their tests by text: a colon in a name wants quotes', async () => {
  const promised = parse(await readFile(join(import.meta.dirname, 'promises.yaml'), 'utf8')) as Chapter[];
  const names = promised.flatMap(({ promises }) => promises.flatMap(({ tests }) => tests as unknown[]));
  expect(names.filter((name) => typeof name !== 'string')).toEqual([]);
});

test('every fault that a publication has to survive is promised, and told to operators', async () => {
  const all = Array.from({ length: 25 }, (_, i) => i + 1);
  const promised = parse(await readFile(join(import.meta.dirname, 'promises.yaml'), 'utf8')) as Chapter[];
  const numbers = new Set(promised.flatMap(({ promises }) => promises.flatMap(({ faults = [] }) => faults)));
  expect([...numbers].sort((a, b) => a - b)).toEqual(all);
  const text = await readFile(join(import.meta.dirname, '../../docs/reference/faults.md'), 'utf8');
  const told = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
  expect(told).toEqual(all);
});
