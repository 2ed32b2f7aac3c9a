import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorCodes } from '../../lib/error-codes.ts';
import { inLanguage } from '../../lib/language.ts';

const han = /\p{Script=Han}/u;

test('every error code has a title and a hint in both languages', () => {
  expect(Object.keys(errorCodes).length).toBeGreaterThan(80);
  for (const [code, { title, hint }] of Object.entries(errorCodes)) {
    for (const { zh, en } of [title, hint]) {
      expect(zh, code).toMatch(han);
      expect(zh.trim(), code).toBe(zh);
      expect(en, code).toMatch(/^[A-Z`].*\w/s);
      expect(han.test(en), code).toBe(false);
    }
  }
});

test('no two codes have the same title but those of the same rule', () => {
  const zh = Object.values(errorCodes).map(({ title }) => title.zh);
  const twice = zh.filter((title, i) => zh.indexOf(title) !== i);
  expect(twice).toEqual(['规则不允许']);
});

test('a text in both languages is one half; any other is itself', () => {
  expect(inLanguage('缺少 · missing: a · b', 'zh')).toBe('缺少');
  expect(inLanguage('缺少 · missing: a · b', 'en')).toBe('missing: a · b');
  for (const text of ['there is none', '没有', 'demo · health · officer', '没有 ·', '', '· x']) {
    expect(inLanguage(text, 'zh')).toBe(text);
    expect(inLanguage(text, 'en')).toBe(text);
  }
  const half = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('·'));
  fc.assert(
    fc.property(half, half, (zh, en) => {
      const text = `数${zh} · ${en}`;
      expect([inLanguage(text, 'zh'), inLanguage(text, 'en')]).toEqual([`数${zh}`, en]);
    }),
  );
});
