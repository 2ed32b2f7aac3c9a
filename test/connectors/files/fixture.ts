/** A folder with a CSV file of every shape that the conformance kit asks for. */
import { linkSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fixture, Prepared } from '../../../connectors/conformance/kit.ts';
import type { FilesConfig } from '../../../connectors/files/config.ts';
import { limits } from '../../../lib/limits.ts';

const WIDE_COLUMNS = 1_600;
const LARGE_FILES = 4;
const LARGE_ROWS = 20_000;
const SLOW_LINKS = 40;
const names = ['编号', 'Mixed Case', 'quote"inside', "apostrophe's", 'select', '100%', 'a,b'];
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

export async function prepare(): Promise<Prepared<FilesConfig>> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-files-test-')));
  await fill(folder);
  const torture = tortureOf();
  await writeFile(join(folder, 'torture.csv'), torture.text);
  const integers = Object.fromEntries(Array.from({ length: WIDE_COLUMNS }, (_, i) => [`c${i}`, 'int16']));
  const config: FilesConfig = {
    folder,
    tables: {
      large: { files: 'large/*.csv', types: { id: 'int64' } },
      'wide.csv': { types: integers },
      torture: { files: 'torture.csv', types: torture.types, dateFormats: ['YYYY年M月D日'], trueTexts: ['是'] },
      wrong: { files: 'large/*.csv', types: { id: 'varchar', filler: 'decimal(39,1)' } },
    },
  };
  const table = (name: string) => ({ table: { name } });
  const fixture: Fixture<FilesConfig> = {
    config,
    canary: { lacks: 'a folder has no secret; S3 has one (s3.test.ts)' },
    failures: [
      { name: 'misspelt', config: { ...config, foldr: '/' } as FilesConfig, step: 'resolve', code: 'CONFIG_INVALID' },
      { name: 'no place', config: {}, step: 'resolve', code: 'CONFIG_INVALID' },
      { name: 'no folder', config: { folder: `${folder}/gone` }, step: 'connect', code: 'SOURCE_UNREACHABLE' },
    ],
    large: { request: table('large'), rows: LARGE_ROWS, idColumn: 'id', partitions: LARGE_FILES, bare: true },
    disturb: () => disturb(folder),
    empty: { request: table('empty.csv'), columns: ['a', 'b'] },
    names: { request: table('大写 "Table".csv'), columns: names },
    comments: { lacks: 'files have no comments' },
    wide: { request: table('wide.csv'), columns: WIDE_COLUMNS },
    bigCell: { fits: table('big.csv'), tooLarge: table('bigger.csv'), column: 'content' },
    torture,
    unmapped: { request: table('wrong'), columns: ['id', 'filler'] },
    cursor: { lacks: 'this kind has no cursors' },
    missing: [
      { request: table('nowhere.csv'), code: 'TABLE_NOT_FOUND' },
      { request: { table: { schema: 'nowhere', name: 'large' } }, code: 'TABLE_NOT_FOUND' },
      { request: { ...table('large'), columns: ['id', 'Id'] }, code: 'COLUMN_NOT_FOUND' },
      { request: table('../etc/passwd'), code: 'PATH_OUTSIDE' },
    ],
    revoked: { lacks: 'tests may run as root, who may read everything' },
    slow: table('slow/*.csv'),
    busyStatements: async () => openFilesBelow(join(folder, 'slow')),
  };
  config.tables = { ...config.tables, 'slow/*.csv': { files: 'slow/*.csv' } };
  return { fixture, close: () => rm(folder, { recursive: true }) };
}

async function fill(folder: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const write = (name: string, text: string | Buffer) => writeFile(join(folder, name), text);
  await mkdir(join(folder, 'large'));
  await mkdir(join(folder, 'slow'));
  for (let file = 0; file < LARGE_FILES; file++) await write(`large/${file}.csv`, largeRows(file));
  await write('empty.csv', 'a,b\n');
  await write('大写 "Table".csv', `${names.map(quoted).join(',')}\n${names.map((_, i) => i).join(',')}\n`);
  const wide = Array.from({ length: WIDE_COLUMNS }, (_, i) => i);
  await write('wide.csv', `${wide.map((i) => `c${i}`).join(',')}\n${wide.join(',')}\n`);
  for (const [name, more] of [
    ['big', 0],
    ['bigger', 1],
  ] as const) {
    const cell = Buffer.alloc(limits.cellBytesMax + more, 'x');
    await write(`${name}.csv`, Buffer.concat([Buffer.from('id,content\n1,'), cell, Buffer.from('\n')]));
  }
  // Sixteen megabytes under forty names: much to read, and little on the disk.
  await write('slow/0.csv', `a,b,c\n${'1,2,3\n'.repeat(2_700_000)}`);
  for (let i = 1; i < SLOW_LINKS; i++) linkSync(join(folder, 'slow', '0.csv'), join(folder, 'slow', `${i}.csv`));
}

function largeRows(file: number): string {
  const each = LARGE_ROWS / LARGE_FILES;
  const row = (_: unknown, i: number) => `${file * each + i + 1},${'x'.repeat(i % 150)}\r\n`;
  return `id,filler\r\n${Array.from({ length: each }, row).join('')}`;
}

/** Files of the table that come after the snapshot was taken: they are not part of it. */
function disturb(folder: string): { stop(): Promise<number> } {
  let [stopped, written] = [false, 0];
  const work = (async () => {
    while (!stopped) {
      await writeFile(join(folder, 'large', `later${written++}.csv`), `id,filler\r\n${-written},later\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await work;
      for (let i = 0; i < written; i++) await rm(join(folder, 'large', `later${i}.csv`));
      return written;
    },
  };
}

function openFilesBelow(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(folder)).length;
}

type Cell =
  | [written: string, shown: string | null]
  | [written: string, shown: null, code: 'OUT_OF_RANGE' | 'INVALID_TEXT'];

/** By type: how a cell is written, and what Arrow must have, or why it has null. Rows are filled up with nulls. */
export const cells: Record<string, Cell[]> = {
  text: [
    ['', null],
    ['""', ''],
    ['"a ""b"", c"', 'a "b", c'],
    ['"two\r\nlines"', 'two\r\nlines'],
    ['007', '007'],
    ['440301199001011234', '440301199001011234'],
    ['龙华𠮷', '龙华𠮷'],
    ['half"quoted', 'half"quoted'],
    [' blanks ', ' blanks '],
    ['NUL\0', null, 'INVALID_TEXT'],
  ],
  bool: [
    ['true', 't'],
    ['FALSE', 'f'],
    ['是', 't'],
    ['yes', null, 'INVALID_TEXT'],
    ['', null],
    ['""', null, 'INVALID_TEXT'],
  ],
  int16: [
    ['-32768', '-32768'],
    ['32767', '32767'],
    ['32768', null, 'OUT_OF_RANGE'],
    ['0', '0'],
    ['007', '7'],
    ['1.5', null, 'OUT_OF_RANGE'],
  ],
  int32: [
    ['-2147483648', '-2147483648'],
    ['2147483647', '2147483647'],
    ['2147483648', null, 'OUT_OF_RANGE'],
    ['1e3', '1000'],
  ],
  int64: [
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807', '9223372036854775807'],
    ['9223372036854775808', null, 'OUT_OF_RANGE'],
    ['9007199254740993', '9007199254740993'],
    ['-4294967297', '-4294967297'],
    ['12a', null, 'INVALID_TEXT'],
  ],
  float64: [
    ['0.1', '0.1'],
    ['-0', '-0'],
    ['1e308', '1e+308'],
    ['1e309', null, 'OUT_OF_RANGE'],
    ['NaN', 'NaN'],
    ['-2.5', '-2.5'],
    ['', null],
  ],
  'decimal(38,10)': [
    ['9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
    ['-0.0000000001', '-0.0000000001'],
    ['0.00000000001', null, 'OUT_OF_RANGE'],
    ['1,000', null, 'INVALID_TEXT'],
  ],
  'decimal(12,2)': [
    ['9999999999.99', '9999999999.99'],
    ['10000000000', null, 'OUT_OF_RANGE'],
    ['17.685', null, 'OUT_OF_RANGE'],
    ['-12.5', '-12.50'],
    ['.5', '0.50'],
  ],
  date: [
    ['0001-01-01', '0001-01-01'],
    ['9999-12-31', '9999-12-31'],
    ['2024-02-29', '2024-02-29'],
    ['2023-02-29', null, 'OUT_OF_RANGE'],
    ['2024年3月5日', '2024-03-05'],
    ['5/3/2024', null, 'INVALID_TEXT'],
  ],
  time: [
    ['00:00:00', '00:00:00'],
    ['23:59:59.999999', '23:59:59.999999'],
    ['24:00:00', null, 'OUT_OF_RANGE'],
  ],
  timestamp: [
    ['1582-10-05 12:00:00', '1582-10-05 12:00:00'],
    ['9999-12-31T23:59:59.999999', '9999-12-31 23:59:59.999999'],
    ['1969-12-31 23:59:59.5', '1969-12-31 23:59:59.5'],
    ['2024-01-01 00:00:00.1234567', null, 'OUT_OF_RANGE'],
    ['2024年3月5日', '2024-03-05 00:00:00'],
  ],
  timestamptz: [
    ['2024-01-01T08:00:00+08:00', '2024-01-01 00:00:00+00'],
    ['2024-01-01 00:00:00Z', '2024-01-01 00:00:00+00'],
    ['2024-01-01 00:00:00', null, 'INVALID_TEXT'],
  ],
};

export function tortureOf(): Fixture<FilesConfig>['torture'] & { text: string; types: Record<string, string> } {
  const rows = Math.max(...Object.values(cells).map((column) => column.length)) + 1;
  const written = (column: Cell[], row: number) => {
    const cell = column[row]?.[0] ?? '';
    return cell.includes(',') && !cell.startsWith('"') ? `"${cell}"` : cell;
  };
  const lines = Array.from({ length: rows }, (_, row) =>
    Object.values(cells)
      .map((column) => written(column, row))
      .join(','),
  );
  const types = Object.keys(cells);
  return {
    request: { table: { name: 'torture' } },
    text: `${types.map(quoted).join(',')}\r\n${lines.join('\r\n')}`,
    types: Object.fromEntries(types.map((type) => [type, type])),
    expected: Object.fromEntries(
      Object.entries(cells).map(([type, column]) => [
        type,
        Array.from({ length: rows }, (_, row) => column[row]?.[1] ?? null),
      ]),
    ),
    unrepresentable: Object.entries(cells).flatMap(([column, list]) =>
      list.flatMap(([, , code], row) => (code === undefined ? [] : [{ column, row, code }])),
    ),
  };
}
