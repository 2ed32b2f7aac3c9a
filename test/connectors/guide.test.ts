/** docs/guides/connectors.md: each block of code is a file that the tests compile and run, or a part of one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../catalog/district/document.ts';
import { validateDefinition } from '../../catalog/district/validate.ts';
import { errorCodes } from '../../lib/error-codes.ts';

const root = join(import.meta.dirname, '..', '..');
const guide = await readFile(join(root, 'docs/guides/connectors.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', path = '', text = '']) => ({
    language,
    path,
    text,
  }),
);

test('no block goes unchecked', () => {
  const known = new Set(['ts', 'sh', 'yaml']);
  expect(blocks.filter(({ language }) => !known.has(language))).toEqual([]);
  expect(blocks.filter(({ language, path }) => language === 'ts' && path === '')).toEqual([]);
  expect(guide.match(/^```/gm)).toHaveLength(blocks.length * 2);
});

describe('TypeScript', () => {
  test.each(blocks.filter(({ language }) => language === 'ts'))('$path', async ({ path, text }) => {
    expect(await sourceOf(path)).toContain(text);
  });
});

test('commands are there', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));
  const run = lines.flatMap((line) => /^npm run (\S+)/.exec(line)?.[1] ?? []);
  expect(run).toEqual(expect.arrayContaining(['connector:new', 'conformance']));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(run));
});

test('definitions are valid', () => {
  for (const { text } of blocks.filter(({ language }) => language === 'yaml')) {
    const document = readDocument('guide.yaml', text);
    expect([...document.problems, ...validateDefinition('source', document, document.value)]).toEqual([]);
  }
});

test('codes that it names are codes', () => {
  const prose = blocks.reduce((text, block) => text.replace(block.text, ''), guide);
  const named = prose.match(/\b[A-Z]{3,}(?:_[A-Z]+)+\b/g)?.filter((name) => name !== 'MSSQL_URL') ?? [];
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !Object.hasOwn(errorCodes, name))).toEqual([]);
});

/** The example is shown as the scaffold would write it. */
async function sourceOf(path: string): Promise<string> {
  if (path === 'vitest.config.ts') return (await import('./outside.ts')).vitestConfig;
  const file = path.replace(/^connectors\/example\//, 'connectors/conformance/example/');
  const text = await readFile(join(root, file), 'utf8');
  return text.replaceAll(`'../../index.ts'`, `'../index.ts'`);
}
