import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CellTable, NULL_LENGTH } from '../../../connectors/files/cells.ts';
import { CsvScanner, csvDialect } from '../../../connectors/files/csv.ts';
import { scanFile } from '../../../connectors/files/window.ts';
import { readContent, readTable, withFolder } from './support.ts';

describe('records', () => {
  test('a row with too few or too many cells is told whole and never shifted', async () => {
    const seen = await readContent('a.csv', 'a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n', { lineColumn: 'line' });
    expect(seen.rows).toEqual([
      ['1', '2', '3', '2'],
      [null, null, null, '3'],
      [null, null, null, '4'],
      ['10', '11', '12', '5'],
    ]);
    const whole = (row: number) => ['a', 'b', 'c'].map((column) => `${row} ${column} ROW_MALFORMED`);
    expect(seen.problems).toEqual([...whole(1), ...whole(2)]);
    expect(seen.counted).toBe(4);
  });

  test('text behind a closing quote is malformed; its lines are counted', async () => {
    const seen = await readContent('a.csv', 'a,b\n"x\ny"z,1\n2,3\n', { lineColumn: 'line' });
    expect(seen.rows).toEqual([
      [null, null, '2'],
      ['2', '3', '4'],
    ]);
  });

  test('a quote that is never closed is an error that names the line, not a row that swallows the rest', async () => {
    await expect(readContent('a.csv', 'a,b\n1,2\n3,"4\n5,6\n')).rejects.toMatchObject({
      code: 'FILE_INVALID',
      at: 'a.csv line 3',
    });
  });

  test.each(['\n', '\r\n', '\r'])('lines may end in %j, the last one in nothing', async (end) => {
    for (const last of ['', end]) {
      const seen = await readContent('a.csv', `a,b${end}1,2${end}${end}3,4${last}`);
      expect(seen.rows).toEqual([
        ['1', '2'],
        ['3', '4'],
      ]);
      expect(seen.counted).toBe(2);
    }
  });

  test('in a file of one column a blank line is a null', async () => {
    const seen = await readContent('a.csv', 'a\n1\n\n""\n');
    expect(seen.rows).toEqual([['1'], [null], ['']]);
    expect(seen.counted).toBe(3);
  });

  test('nulls are what the definition says, and never what is quoted', async () => {
    const seen = await readContent('a.csv', 'a,b\nNULL,"NULL"\n\\N,\n', { nulls: ['NULL', '\\N'] });
    expect(seen.rows).toEqual([
      [null, 'NULL'],
      [null, ''],
    ]);
  });

  test('a quote in the middle of a cell is itself, for the reader and for the one who counts', async () => {
    const seen = await readContent('a.csv', 'a,b\n5" pipe,1\n"x ""y""\nz",a""b\n"",""\n');
    expect(seen.rows).toEqual([
      ['5" pipe', '1'],
      ['x "y"\nz', 'a""b'],
      ['', ''],
    ]);
    expect(seen.counted).toBe(3);
  });

  test('columns that are nobody’s are refused', async () => {
    for (const header of ['a,,c', 'a,b,a']) {
      await expect(readContent('a.csv', `${header}\n1,2,3\n`)).rejects.toMatchObject({ code: 'FILE_INVALID' });
    }
    const misspelt = readContent('a.csv', 'a,b\n', { types: { A: 'int32' } });
    await expect(misspelt).rejects.toMatchObject({ code: 'COLUMN_NOT_FOUND' });
  });
});

describe('partitions', () => {
  const lines = Array.from({ length: 40_000 }, (_, i) => `${i},${'x'.repeat(600)}`);

  test('without quotes a file is divided at line ends; with quotes it is one stream', async () => {
    const contents = { 'a.csv': `a,b\n${lines.join('\n')}\n` };
    await withFolder(contents, async (folder) => {
      const divided = await readTable({ folder, tables: { t: { files: 'a.csv', quote: '' } } }, 't', 3);
      expect(divided.partitions).toBe(2);
      expect(divided.rows.map(([a]) => a)).toEqual(lines.map((_, i) => String(i)));
      const quoted = await readTable({ folder, tables: { t: { files: 'a.csv' } } }, 't', 3);
      expect(quoted.partitions).toBe(1);
      expect(quoted.rows).toEqual(divided.rows);
    });
  });

  test('files of one table may have their columns in any order, and must have the same', async () => {
    await withFolder({ '1.csv': 'a,b\n1,2\n', '2.csv': 'b,a\n3,4\n' }, async (folder) => {
      const config = { folder, tables: { t: { files: '*.csv' } } };
      expect((await readTable(config, 't')).rows).toEqual([
        ['1', '2'],
        ['4', '3'],
      ]);
    });
    for (const other of ['a\n1\n', 'a,b,c\n1,2,3\n']) {
      await withFolder({ '1.csv': 'a,b\n1,2\n', '2.csv': other }, async (folder) => {
        const read = readTable({ folder, tables: { t: { files: '*.csv' } } }, 't');
        await expect(read).rejects.toMatchObject({ code: 'SCHEMA_DRIFT', at: '2.csv' });
      });
    }
  });
});

/** Cells of all rows, wherever the bytes are cut. */
async function scanned(text: string, columns: number, cut: number): Promise<(string | null)[][]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
  }
  const table = new CellTable(columns);
  const targets = Array.from({ length: columns }, (_, i) => i);
  const rows: (string | null)[][] = [];
  for await (const { source } of scanFile(chunks(), new CsvScanner(csvDialect({}), targets, 'a', 1), table, 'a')) {
    for (let row = 0; row < table.rows; row++) {
      rows.push(
        targets.map((column) => {
          const [start, length] = [column, column].map(
            (c, i) => (i === 0 ? table.starts : table.lengths)[c * table.rowsMax + row]!,
          );
          return length === NULL_LENGTH ? null : Buffer.from(source.bytes.slice(start, start! + length!)).toString();
        }),
      );
    }
  }
  return rows;
}

test('property: the same cells as csv-parse, wherever the bytes are cut', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '中', ' ', '1'), maxLength: 6 });
  const table = fc
    .integer({ min: 2, max: 4 })
    .chain((columns) =>
      fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
    );
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (rows, cut, crlf) => {
      const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
      const text = quoted.join(crlf ? '\r\n' : '\n');
      expect(await scanned(text, rows[0]!.length, cut)).toEqual(parse(text, { bom: true }));
      expect(await scanned(text, rows[0]!.length, cut)).toEqual(rows);
    }),
    { numRuns: 150 },
  );
});
