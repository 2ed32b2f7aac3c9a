import { type Data, Field, Float64, Schema, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvFormat } from '../../../../exchange/access/renditions/csv.ts';

const schema = new Schema([new Field('文本', new Utf8(), true), new Field('=数', new Float64(), true)]);

function csvOf(texts: (string | null)[], numbers: (number | null)[]): string {
  const columns: Vector[] = [vectorFromArray(texts, new Utf8()), vectorFromArray(numbers, new Float64())];
  const data = columns.map((column) => column.data[0] as Data);
  const format = csvFormat(schema);
  return format.start + texts.map((_, row) => format.line(data, row)).join('');
}

test('whatever a spreadsheet takes for a formula is text; numbers keep their signs', () => {
  const dangerous = [...'=+-@＝＋－＠'].map((first) => `${first}1+1`).concat('\t=1', '\r=1', '\n=1', '=', '-5');
  const harmless = ['1-1', 'a=b', ' =1', "'=1", '一－二', ''];
  const texts = [...dangerous, ...harmless];
  const rows = parse(
    csvOf(
      texts,
      texts.map(() => -1.5),
    ),
    { record_delimiter: '\r\n' },
  ) as string[][];
  expect(rows[0]).toEqual(['文本', "'=数"]);
  expect(rows.slice(1).map(([text]) => text)).toEqual([...dangerous.map((text) => `'${text}`), ...harmless]);
  expect(new Set(rows.slice(1).map(([, number]) => number))).toEqual(new Set(['-1.5']));
});

test('null and the empty text are told apart', () => {
  expect(csvOf([null, ''], [null, 0])).toBe('文本,\'=数\r\n,\r\n"",0\r\n');
});
