/** The last run of all tests, as vitest's JSON reporter writes it; of that only what is needed here. */
import { readFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';

export type Status = 'passed' | 'failed' | 'skipped';

/** By full name: `<file> > <suite> > … > <test>`. */
export type TestResults = Map<string, Status>;

interface JsonReport {
  testResults: {
    /** Absolute. */
    name: string;
    assertionResults: { ancestorTitles: string[]; title: string; status: string }[];
  }[];
}

/** @throws Error where there is no report */
export async function readReport(path: string, root: string): Promise<TestResults> {
  let report: JsonReport;
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as JsonReport;
  } catch (cause) {
    throw new Error(`there is no report of a test run at ${path}: run \`npm test\` first`, { cause });
  }
  return resultsOf(report, root);
}

export function resultsOf({ testResults }: JsonReport, root: string): TestResults {
  return new Map(
    testResults.flatMap(({ name, assertionResults }) => {
      const file = relative(root, name).split(sep).join('/');
      return assertionResults.map(({ ancestorTitles, title, status }): [string, Status] => {
        const known = status === 'passed' || status === 'failed' ? status : 'skipped';
        return [[file, ...ancestorTitles, title].join(' > '), known];
      });
    }),
  );
}
