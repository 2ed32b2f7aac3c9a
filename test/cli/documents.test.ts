/** Every `huitong …` that a document, a hint or the help shows is a command, with options that it has. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from '../../cli/main.ts';
import { errorCodes } from '../../lib/error-codes.ts';

const root = join(import.meta.dirname, '../..');
const program = buildProgram();

/** Of text: each command line in it, from behind `huitong` to the end of its code. */
function commandLines(text: string): string[] {
  const lines = [...text.replaceAll(/\\\n\s*/g, '').matchAll(/(?:`|\$ |^|npx )huitong ([a-z][^`|&>\n]*)/gm)];
  return lines.map(([, line = '']) => line.replace(/ {2,}.*| #.*/, '').trim());
}

/** What is wrong with a command line; undefined: nothing. */
function faultOf(line: string): string | undefined {
  let command: Command = program;
  for (const word of line.split(' ')) {
    const sub = command.commands.find((one) => one.name() === word);
    if (sub !== undefined) command = sub;
    else if (word.startsWith('--')) {
      const known = [...command.options, ...program.options].some(({ long }) => long === word);
      if (!known && word !== '--help' && word !== '--version') return `${command.name()} has no ${word}`;
    } else if (command.commands.length > 0 && /^[a-z-]+$/.test(word)) return `${command.name()} has no command ${word}`;
  }
  return undefined;
}

async function documents(): Promise<[name: string, text: string][]> {
  const folders = await Promise.all(
    ['docs', 'districts'].map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((path) => join(folder, path)),
    ),
  );
  const paths = ['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', ...folders.flat()];
  const read = async (path: string): Promise<[string, string]> => [path, await readFile(join(root, path), 'utf8')];
  return Promise.all(paths.filter((path) => path.endsWith('.md')).map(read));
}

function helpOf(command: Command): [name: string, text: string][] {
  let text = '';
  command.configureOutput({ writeOut: (written) => (text += written) });
  command.outputHelp();
  return [[`${command.name()} --help`, text], ...command.commands.flatMap(helpOf)];
}

test('in documents, help texts and hints', async () => {
  const hints = Object.entries(errorCodes).map(([code, { hint }]): [string, string] => [
    code,
    `${hint.zh}\n${hint.en}`,
  ]);
  const texts = [...(await documents()), ...helpOf(program), ...hints];
  const found = texts.flatMap(([name, text]) =>
    commandLines(text).map((line) => ({ name, line, fault: faultOf(line) })),
  );
  expect(found.length).toBeGreaterThan(100);
  expect(found.filter(({ fault }) => fault !== undefined)).toEqual([]);
});

test('what is no command, or has no such option, is found', () => {
  expect(faultOf('source check health --as health')).toBeUndefined();
  expect(faultOf('source chek health')).toBe('source has no command chek');
  expect(faultOf('publsh health.people')).toBe('huitong has no command publsh');
  expect(faultOf('runs --sate failed --limit 2')).toBe('runs has no --sate');
  expect(
    commandLines('`huitong read x --format csv` and\n$ huitong publish y  # now\n  $ npx huitong z a | b'),
  ).toEqual(['read x --format csv', 'publish y', 'z a']);
});
