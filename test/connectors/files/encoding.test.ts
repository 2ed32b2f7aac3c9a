import { describe, expect, test } from 'vitest';
import type { Encoding } from '../../../connectors/files/config.ts';
import { pythonLacks, runPython } from '../../support/python.ts';
import { readContent } from './support.ts';

const TEXT = '编号,姓名\r\n007,"张三, 𠮷"\r\n008,龙华区\r\n';
const rows = [
  ['007', '张三, 𠮷'],
  ['008', '龙华区'],
];

/** An independent writer: Python's codecs. */
async function encoded(text: string, codec: string): Promise<Uint8Array> {
  const script = 'import sys, json; print(json.dumps(list(sys.argv[1].encode(sys.argv[2]))))';
  return Uint8Array.from(await runPython<number[]>(script, text, codec));
}

const skipped = pythonLacks('json');

describe.skipIf(skipped)(`files that Python wrote ${skipped ?? ''}`, () => {
  test.each<[codec: string, stated: Encoding | undefined]>([
    ['utf-8', undefined],
    ['utf-8-sig', undefined],
    ['utf-8-sig', 'utf-8'],
    ['gb18030', 'gb18030'],
    ['utf-16', undefined],
    ['utf-16-le', 'utf-16le'],
    ['utf-16-be', 'utf-16be'],
  ])('%s, stated as %s', async (codec, encoding) => {
    const seen = await readContent('a.csv', await encoded(TEXT, codec), { encoding });
    expect(seen.columns).toEqual(['编号', '姓名']);
    expect(seen.rows).toEqual(rows);
    expect(seen.problems).toEqual([]);
  });

  test('gbk, and what GBK has no character for', async () => {
    const seen = await readContent('a.csv', await encoded('编号,姓名\n1,龙华\n', 'gbk'), { encoding: 'gbk' });
    expect(seen.rows).toEqual([['1', '龙华']]);
  });

  test('characters that lie across two reads are whole', async () => {
    const names = Array.from({ length: 160_000 }, (_, i) => `${'a'.repeat(i % 3)}龙`);
    const text = `a\n${names.join('\n')}\n`.replaceAll('龙', '\xc1\xfa');
    const seen = await readContent('a.csv', Buffer.from(text, 'latin1'), { encoding: 'gb18030' });
    expect(seen.rows.map(([name]) => name)).toEqual(names);
    expect(seen.problems).toEqual([]);
  });
});

test('bytes that are none of the encoding: that cell is told, its neighbours and the next rows are kept', async () => {
  const line = (name: number[]) => Buffer.concat([Buffer.from('1,'), Buffer.from(name), Buffer.from(',x\n')]);
  const good = Buffer.from('2,b,y\n');
  for (const [encoding, bad] of [
    ['utf-8', [0xc3]],
    ['utf-8', [0xed, 0xa0, 0x80]],
    ['gb18030', [0x80, 0xff]],
    ['gb18030', [0xff]],
  ] as const) {
    const content = Buffer.concat([Buffer.from('a,b,c\n'), line([...bad]), good]);
    const seen = await readContent('a.csv', content, { encoding });
    expect(seen.rows).toEqual([
      ['1', null, 'x'],
      ['2', 'b', 'y'],
    ]);
    expect(seen.problems).toEqual(['0 b INVALID_TEXT']);
  }
});

test('a GBK file that is read as UTF-8 is not guessed at: its cells are told', async () => {
  const content = Buffer.concat([Buffer.from('a,b\n1,'), Buffer.from([0xc1, 0xfa]), Buffer.from('\n')]);
  expect((await readContent('a.csv', content)).problems).toEqual(['0 b INVALID_TEXT']);
  expect((await readContent('a.csv', content, { encoding: 'gbk' })).rows).toEqual([['1', '龙']]);
});

test('a mark that says another encoding than the definition is an error', async () => {
  const content = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a\n', 'utf16le')]);
  await expect(readContent('a.csv', content, { encoding: 'gb18030' })).rejects.toMatchObject({ code: 'FILE_INVALID' });
});
