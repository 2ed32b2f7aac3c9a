/** A folder with JSON lines of every shape that the conformance kit asks for; values are those of the CSV fixture. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fixture, Prepared } from '../../../connectors/conformance/kit.ts';
import type { FilesConfig } from '../../../connectors/files/config.ts';
import { limits } from '../../../lib/limits.ts';
import { cells, tortureOf } from './fixture.ts';

const FILES = 4;
const ROWS = 20_000;
const names = ['编号', 'Mixed Case', 'quote"inside', "apostrophe's", 'select', '100%', 'a,b'];
const asOfCsv = { lacks: 'as the suite over CSV files has it: the code that lists and pins files is one' };

export async function prepareJsonLines(): Promise<Prepared<FilesConfig>> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-files-test-')));
  const write = (name: string, rows: object[] | string) =>
    writeFile(
      join(folder, name),
      typeof rows === 'string' ? rows : rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
  for (let file = 0; file < FILES; file++) {
    const row = (_: unknown, i: number) => ({ id: (file * ROWS) / FILES + i + 1, filler: 'x'.repeat(i % 150) });
    await write(`large${file}.jsonl`, Array.from({ length: ROWS / FILES }, row));
  }
  await write('empty.jsonl', '');
  await write('大写 "Table".jsonl', [Object.fromEntries(names.map((name, i) => [name, i]))]);
  await write('big.jsonl', `{"content":"${'x'.repeat(limits.cellBytesMax)}"}\n`);
  await write('bigger.jsonl', `{"content":"${'x'.repeat(limits.cellBytesMax + 1)}"}\n`);
  const torture = tortureOf();
  await write('torture.jsonl', tortureLines());
  const config: FilesConfig = {
    folder,
    tables: {
      large: { files: 'large?.jsonl', types: { id: 'int64' } },
      // Such a line is longer than what is looked at for the names of members.
      'big.jsonl': { columns: ['content'] },
      'bigger.jsonl': { columns: ['content'] },
      'empty.jsonl': { columns: ['a', 'b'] },
      torture: { files: 'torture.jsonl', types: torture.types, dateFormats: ['YYYY年M月D日'], trueTexts: ['是'] },
      wrong: { files: 'large?.jsonl', types: { id: 'varchar', filler: 'decimal(39,1)' } },
    },
  };
  const table = (name: string) => ({ table: { name } });
  const fixture: Fixture<FilesConfig> = {
    config,
    canary: asOfCsv,
    failures: [
      { name: 'misspelt', config: { ...config, foldr: '/' } as FilesConfig, step: 'resolve', code: 'CONFIG_INVALID' },
      { name: 'no folder', config: { folder: `${folder}/gone` }, step: 'connect', code: 'SOURCE_UNREACHABLE' },
    ],
    large: { request: table('large'), rows: ROWS, idColumn: 'id', partitions: FILES, bare: true },
    disturb: asOfCsv,
    empty: { request: table('empty.jsonl'), columns: ['a', 'b'] },
    names: { request: table('大写 "Table".jsonl'), columns: names },
    comments: { lacks: 'files have no comments' },
    wide: asOfCsv,
    bigCell: { fits: table('big.jsonl'), tooLarge: table('bigger.jsonl'), column: 'content' },
    torture,
    unmapped: { request: table('wrong'), columns: ['id', 'filler'] },
    cursor: { lacks: 'this kind has no cursors' },
    missing: [
      { request: table('nowhere.jsonl'), code: 'TABLE_NOT_FOUND' },
      { request: { ...table('large'), columns: ['id', 'Id'] }, code: 'COLUMN_NOT_FOUND' },
    ],
    revoked: asOfCsv,
    slow: asOfCsv,
    busyStatements: asOfCsv,
  };
  return { fixture, close: () => rm(folder, { recursive: true }) };
}

/** Every cell as a JSON string, of which the type's text is the content; nulls are null, or absent in every other row. */
function tortureLines(): object[] {
  const rows = Math.max(...Object.values(cells).map((column) => column.length)) + 1;
  return Array.from({ length: rows }, (_, row) => {
    const members = Object.entries(cells).map(([type, column]) => [type, jsonOf(column[row]?.[0] ?? '')] as const);
    return Object.fromEntries(row % 2 === 0 ? members : members.filter(([, value]) => value !== null));
  });
}

function jsonOf(written: string): string | null {
  if (written === '') return null;
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
