import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readContent, readTable, withFolder } from './support.ts';

test('numbers keep their digits, nested values their text; null and an absent member are null', async () => {
  const lines = [
    '{"id":9007199254740993,"amount":0.10000000000000000001,"o":{"x":[1, 2],"big":12345678901234567890}}',
    '{"amount":1e-3,"id":"440301199001011234","o":null}',
    ' { "o" : [] , "id" : -1 }\r',
    '',
    '{}',
  ];
  const types = { id: 'int64', amount: 'decimal(38,20)' };
  const seen = await readContent('a.jsonl', lines.join('\n'), { types });
  expect(seen.columns).toEqual(['id', 'amount', 'o']);
  expect(seen.rows).toEqual([
    ['9007199254740993', '0.10000000000000000001', '{"x":[1, 2],"big":12345678901234567890}'],
    ['440301199001011234', '0.00100000000000000000', null],
    ['-1', null, '[]'],
    [null, null, null],
  ]);
  expect(seen.problems).toEqual([]);
  expect(seen.counted).toBe(4);
});

test('a member twice is ambiguous, also within a nested value; what is no JSON is malformed', async () => {
  const good = '{"a":1,"b":"x"}';
  const bad: [line: string, code: string][] = [
    ['{"a":1,"a":2}', 'JSON_AMBIGUOUS'],
    ['{"b":{"x":1,"x":2}}', 'JSON_AMBIGUOUS'],
    ['{"a":01}', 'ROW_MALFORMED'],
    ['{"a":NaN}', 'ROW_MALFORMED'],
    ['{"a":1,}', 'ROW_MALFORMED'],
    ['{"a":1} x', 'ROW_MALFORMED'],
    ['{"a" 1}', 'ROW_MALFORMED'],
    ['[1,2]', 'ROW_MALFORMED'],
    ['{"a":"unclosed', 'ROW_MALFORMED'],
    ['{"b":{"x":[1}', 'ROW_MALFORMED'],
    ['{"b":"tab\there"}', 'ROW_MALFORMED'],
    ['{"b":"\\q"}', 'ROW_MALFORMED'],
  ];
  const text = bad.flatMap(([line]) => [line, good]).join('\n');
  const seen = await readContent('a.jsonl', `${good}\n${text}\n`);
  expect(seen.rows).toEqual([
    ['1', 'x'],
    ...bad.flatMap(() => [
      [null, null],
      ['1', 'x'],
    ]),
  ]);
  const expected = bad.flatMap(([, code], i) => ['a', 'b'].map((column) => `${2 * i + 1} ${column} ${code}`));
  expect(seen.problems).toEqual(expected);
});

test('a member that no column takes is not dropped: its line is told', async () => {
  const seen = await readContent('a.jsonl', '{"a":1}\n{"a":2,"z":3}\n', { columns: ['a'] });
  expect(seen.rows).toEqual([['1'], [null]]);
  expect(seen.problems).toEqual(['1 a ROW_MALFORMED']);
});

test('a surrogate without its other half is no text', async () => {
  const seen = await readContent('a.jsonl', '{"a":"\\ud83d\\ude00"}\n{"a":"\\ud800"}\n{"a":"\\u4e2d\\n\\"龙\\""}\n');
  expect(seen.rows).toEqual([['😀'], [null], ['中\n"龙"']]);
  expect(seen.problems).toEqual(['1 a INVALID_TEXT']);
});

test('a large file is divided at its lines', async () => {
  const lines = Array.from({ length: 34_000 }, (_, i) => `{"id":${i},"x":"${'x'.repeat(500)}"}`);
  await withFolder({ 'a.jsonl': lines.join('\n') }, async (folder) => {
    const seen = await readTable({ folder }, 'a.jsonl', 2);
    expect(seen.partitions).toBe(2);
    expect(seen.rows.map(([id]) => id)).toEqual(lines.map((_, i) => String(i)));
  });
});

test('property: strings and safe integers are as JSON.parse has them', async () => {
  const row = fc.record({ s: fc.string({ unit: 'grapheme' }), n: fc.maxSafeInteger(), t: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), fc.boolean(), async (rows, ascii) => {
      const clean = rows.filter(({ s }) => !/[\0\uFFFD\p{Surrogate}]/u.test(s));
      fc.pre(clean.length > 0);
      const json = (value: unknown) =>
        ascii
          ? JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
          : JSON.stringify(value);
      const seen = await readContent('a.jsonl', clean.map(json).join('\n'), { types: { n: 'int64', t: 'bool' } });
      expect(seen.rows).toEqual(clean.map(({ s, n, t }) => [s, String(n), t ? 't' : 'f']));
    }),
    { numRuns: 40 },
  );
});
