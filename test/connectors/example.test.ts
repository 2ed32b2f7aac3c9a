import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { example } from '../../connectors/conformance/example/index.ts';
import { testConnector } from '../../connectors/conformance/kit.ts';
import { limits } from '../../lib/limits.ts';

const LARGE_ROWS = 5_000;
const WIDE_COLUMNS = 1_600;
const names = ['编号', 'Mixed Case', 'quote"inside', "apostrophe's", 'select', '100%', 'with:colon'];

testConnector(example, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'example-'));
  const table = (name: string) => ({ table: { name } });
  const save = (name: string, lines: string[]) => writeFile(join(folder, `${name}.tsv`), lines.join('\n'));
  const wide = Array.from({ length: WIDE_COLUMNS }, (_, i) => i);
  await save('large', ['id:integer\tfiller:text', ...range(LARGE_ROWS).map((i) => `${i}\t${'x'.repeat(i % 50)}`)]);
  await save('empty', ['a:integer\tb:text']);
  await save('大写 "Table"', [names.map((name) => `${name}:integer`).join('\t'), range(names.length).join('\t')]);
  await save('wide', [wide.map((i) => `c${i}:integer`).join('\t'), wide.join('\t')]);
  await save('big', ['id:integer\tcontent:text', `1\t${'x'.repeat(limits.cellBytesMax)}`]);
  await save('bigger', ['id:integer\tcontent:text', `1\t${'x'.repeat(limits.cellBytesMax + 1)}`]);
  await save('unmapped', ['id:integer\tplace:point\tshape:polygon', '1\t(1,2)\t()']);
  await save('torture', [
    'b:boolean\td:date\tn:decimal(10,2)\ti:integer\tt:text',
    '\\N\t\\N\t\\N\t\\N\t\\N',
    'true\t0001-01-01\t-99999999.99\t-9223372036854775808\t',
    'false\t9999-12-31\t99999999.99\t9223372036854775807\t汇通😀',
    'perhaps\t2024-02-30\t1.234\t9223372036854775808\t"quoted" \\ text',
  ]);
  return {
    close: () => rm(folder, { recursive: true }),
    fixture: {
      config: { folder },
      canary: { lacks: 'a folder has no password' },
      failures: [
        { name: 'no folder', config: { folder: '/nowhere/at/all' }, step: 'connect', code: 'SOURCE_UNREACHABLE' },
        {
          name: 'misspelt setting',
          config: { folder, tables: 'all' } as { folder: string },
          step: 'resolve',
          code: 'CONFIG_INVALID',
        },
      ],
      large: { request: table('large'), rows: LARGE_ROWS, idColumn: 'id', partitions: 1 },
      disturb: { lacks: 'files have no snapshots' },
      empty: { request: table('empty'), columns: ['a', 'b'] },
      names: { request: table('大写 "Table"'), columns: names },
      comments: { lacks: 'a file has no comments' },
      wide: { request: table('wide'), columns: WIDE_COLUMNS },
      bigCell: { fits: table('big'), tooLarge: table('bigger'), column: 'content' },
      torture: {
        request: table('torture'),
        expected: {
          b: [null, 't', 'f', null],
          d: [null, '0001-01-01', '9999-12-31', null],
          n: [null, '-99999999.99', '99999999.99', null],
          i: [null, '-9223372036854775808', '9223372036854775807', null],
          t: [null, '', '汇通😀', '"quoted" \\ text'],
        },
        unrepresentable: [
          { column: 'b', row: 3, code: 'INVALID_TEXT' },
          { column: 'd', row: 3, code: 'OUT_OF_RANGE' },
          { column: 'n', row: 3, code: 'OUT_OF_RANGE' },
          { column: 'i', row: 3, code: 'OUT_OF_RANGE' },
        ],
      },
      unmapped: { request: table('unmapped'), columns: ['place', 'shape'] },
      cursor: { lacks: 'this kind has no cursors' },
      missing: [
        { request: table('nowhere'), code: 'TABLE_NOT_FOUND' },
        { request: table('../large'), code: 'TABLE_NOT_FOUND' },
        { request: { ...table('large'), columns: ['id', 'Id'] }, code: 'COLUMN_NOT_FOUND' },
      ],
      revoked: { lacks: 'an administrator, which tests may be, reads every file' },
      slow: { lacks: 'reading a file is work of our own process' },
      busyStatements: { lacks: 'nothing works for us elsewhere' },
    },
  };
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
