import { describe, expect, test } from 'vitest';
import { numberText } from '../../../connectors/files/xlsx-cells.ts';
import { shownByCode, unescapeText } from '../../../connectors/files/xlsx-workbook.ts';
import { pythonLacks, runPython } from '../../support/python.ts';
import { readContent } from './support.ts';

const lacks = pythonLacks('openpyxl');

/** A workbook that openpyxl writes: an independent writer. `script` fills `wb`. */
async function workbook(script: string): Promise<Uint8Array> {
  const code = `import openpyxl, datetime, io, json, base64
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
wb = openpyxl.Workbook(); ws = wb.active
${script}
b = io.BytesIO(); wb.save(b); print(json.dumps(base64.b64encode(b.getvalue()).decode()))`;
  return Buffer.from(await runPython<string>(code), 'base64');
}

describe.skipIf(lacks)(`workbooks of openpyxl ${lacks ?? ''}`, () => {
  test('types, dates, shared and rich text; what is not of its type is told', async () => {
    const bytes = await workbook(`
ws.append(['编号', '姓名', '出生', '时间', '金额', '比例', '是否'])
ws.append(['007', '张三', datetime.date(1990, 5, 6), datetime.datetime(2024, 2, 29, 13, 5, 7), 12.5, 0.25, True])
ws['F2'].number_format = '0.00%'
ws['E2'].number_format = '"¥"#,##0.00'
ws.append([8, CellRichText('李', TextBlock(InlineFont(b=True), '四')), '1990-05-06', 45000, 'abc', None, '是'])
ws.append([None] * 7)
ws.append([9, 'a\\nb', datetime.date(1900, 1, 1), datetime.datetime(2020, 1, 1), 0.1 + 0.2, 1e-7, False])`);
    const types = { 出生: 'date', 时间: 'timestamp', 金额: 'decimal(12,2)', 比例: 'decimal(10,8)', 是否: 'bool' };
    const seen = await readContent('a.xlsx', bytes, { types, trueTexts: ['是'], lineColumn: '行' });
    expect(seen.rows).toEqual([
      ['007', '张三', '1990-05-06', '2024-02-29 13:05:07', '12.50', '0.25000000', 't', '2'],
      ['8', '李四', '1990-05-06', null, null, null, 't', '3'],
      ['9', 'a\nb', '1900-01-01', '2020-01-01 00:00:00', '0.30', '0.00000010', 'f', '5'],
    ]);
    expect(seen.problems).toEqual(['1 时间 INVALID_TEXT', '1 金额 INVALID_TEXT']);
  });

  test('an identity number that Excel kept as a number has lost its digits, and is told; as text it is whole', async () => {
    const bytes = await workbook(`
ws.append(['id', 'x'])
ws.append([440301199001011234, 1])
ws.append(['440301199001011234', 2])
ws.append([123456789012345, 3])`);
    const seen = await readContent('a.xlsx', bytes);
    expect(seen.rows.map(([id]) => id)).toEqual([null, '440301199001011234', '123456789012345']);
    expect(seen.problems).toEqual(['0 id DIGITS_LOST']);
  });

  test('formulas have the value that was calculated last; one never calculated, and an error, are told', async () => {
    const bytes = await workbook(`
ws.append(['a', 'b'])
ws.append(['=1+1', 'x'])
ws.append(['#N/A', 'y'])
ws['A3'].data_type = 'e'`);
    const seen = await readContent('a.xlsx', bytes);
    expect(seen.rows).toEqual([
      [null, 'x'],
      [null, 'y'],
    ]);
    expect(seen.problems).toEqual(['0 a INVALID_TEXT', '1 a NOT_A_NUMBER']);
  });

  test('the first sheet that is not hidden is read, or the one that is named; a range and a header further down', async () => {
    const bytes = await workbook(`
ws.title = '隐藏'; ws.sheet_state = 'hidden'; ws.append(['h']); ws.append([1])
s = wb.create_sheet('数据')
s['B1'] = '一个标题'; s.merge_cells('B1:C1')
for r in [['名称', '数量'], ['a', 1], ['b', 2], ['合计', 3]]: s.append([None] + r)
s['D3'] = '备注'`);
    const range = { headerRow: 2, range: 'B2:C4' };
    expect((await readContent('a.xlsx', bytes, range)).rows).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect((await readContent('a.xlsx', bytes, { sheet: '隐藏' })).rows).toEqual([['1']]);
    await expect(readContent('a.xlsx', bytes, { sheet: '没有' })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    // A value beside the columns of the header has no column to go to.
    const open = await readContent('a.xlsx', bytes, { range: 'B2:D5' }).catch((e: unknown) => e);
    expect(open).toMatchObject({
      rows: [
        [null, null],
        ['b', '2'],
        ['合计', '3'],
      ],
    });
  });

  test('workbooks of 1904, and many rows', async () => {
    const bytes = await workbook(`
from openpyxl.utils.datetime import CALENDAR_MAC_1904
wb.epoch = CALENDAR_MAC_1904
ws.append(['d', 'n'])
for i in range(3000): ws.append([datetime.date(2024, 1, 1), i])`);
    const seen = await readContent('a.xlsx', bytes, { types: { d: 'date', n: 'int32' } });
    expect(seen.rows).toEqual(Array.from({ length: 3000 }, (_, i) => ['2024-01-01', String(i)]));
  });

  test('a document type is refused, and with it every entity', async () => {
    const bytes = await runPython<string>(`import zipfile, io, json, base64, openpyxl
b = io.BytesIO(); wb = openpyxl.Workbook(); wb.active.append(['a']); wb.active.append([1]); wb.save(b)
out = io.BytesIO(); z = zipfile.ZipFile(io.BytesIO(b.getvalue())); w = zipfile.ZipFile(out, 'w')
for n in z.namelist():
    d = z.read(n)
    if n == 'xl/worksheets/sheet1.xml': d = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + d
    w.writestr(n, d)
w.close(); print(json.dumps(base64.b64encode(out.getvalue()).decode()))`);
    await expect(readContent('a.xlsx', Buffer.from(bytes, 'base64'))).rejects.toMatchObject({ code: 'FILE_INVALID' });
  });

  test('a member that would become very large is not unpacked', async () => {
    const bytes = await runPython<string>(`import zipfile, io, json, base64, openpyxl
b = io.BytesIO(); wb = openpyxl.Workbook(); wb.active.append(['a']); wb.save(b)
out = io.BytesIO(); z = zipfile.ZipFile(io.BytesIO(b.getvalue())); w = zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED)
for n in z.namelist():
    w.writestr(n, z.read(n) + (b' ' * 30_000_000 if n == 'xl/worksheets/sheet1.xml' else b''))
w.close(); print(json.dumps(base64.b64encode(out.getvalue()).decode()))`);
    const read = readContent('a.xlsx', Buffer.from(bytes, 'base64'));
    await expect(read).rejects.toMatchObject({ code: 'DECOMPRESSION_LIMIT' });
  });
});

test('a file that is no workbook is said to be none', async () => {
  await expect(readContent('a.xlsx', 'not a zip file at all')).rejects.toMatchObject({ code: 'FILE_INVALID' });
});

test.each([
  ['1', 'date', '1900-01-01'],
  ['59', 'date', '1900-02-28'],
  ['61', 'date', '1900-03-01'],
  ['45351.5', 'date', '2024-02-29 12:00:00'],
  ['0.5', 'time', '12:00:00'],
  ['2958465', 'date', '9999-12-31'],
] as const)('serial %s shown as a %s is %s', (raw, shown, text) => {
  expect(numberText(raw, shown, false, 'text')).toEqual({ text });
});

test('29 February 1900, which Excel believes in, and days before and after all are out of range', () => {
  for (const raw of ['60', '0', '-1', '2958466']) {
    expect(numberText(raw, 'date', false, 'date')).toEqual({ problem: 'OUT_OF_RANGE' });
  }
});

test.each([
  ['yyyy"年"m"月"d"日"', 'date'],
  ['[$-804]aaaa d', 'date'],
  ['h:mm AM/PM', 'time'],
  ['[h]:mm:ss', 'time'],
  ['mmm', 'date'],
  ['0.00E+00', 'number'],
  ['General', 'number'],
  ['[Red]0.00;[Blue]-0.00', 'number'],
  ['"day"0', 'number'],
  ['0.00%', 'number'],
])('format %s shows a %s', (code, shown) => {
  expect(shownByCode(code)).toBe(shown);
});

test('characters that XML has no place for', () => {
  expect(unescapeText('a_x000D_b_x005F_x000D_')).toBe('a\rb_x000D_');
});
