import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertIdIsString, assertSafeName, parseStrictJson, unsafeFindings } from '../../contracts/safety.ts';

const code = (c: string, pointer?: string) =>
  expect.objectContaining(pointer === undefined ? { code: c } : { code: c, pointer });

describe('parseStrictJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__') && !/\\u0000|\\ud[89a-f]/i.test(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a duplicate member', '{"a":{"b":1,"b":2}}', 'JSON_AMBIGUOUS', '/a/b'],
    ['a duplicate behind an escape', '{"a":1,"\\u0061":2}', 'JSON_AMBIGUOUS', '/a'],
    ['__proto__', '[{"__proto__":{}}]', 'JSON_AMBIGUOUS', '/0/__proto__'],
    ['a number that loses digits', '{"id":110105194912310021}', 'JSON_AMBIGUOUS', '/id'],
    ['a lone surrogate', '["\\ud800"]', 'ENCODING', '/0'],
    ['NUL', '["\\u0000"]', 'ENCODING', '/0'],
    ['great depth', '['.repeat(70) + ']'.repeat(70), 'SCHEMA_UNSAFE', undefined],
    ['a trailing comma', '[1,]', 'JSON_INVALID', undefined],
    ['text after the end', '1 2', 'JSON_INVALID', undefined],
    ['a bare word', 'nul', 'JSON_INVALID', undefined],
    ['a leading zero', '[01]', 'JSON_INVALID', undefined],
  ])('refuses %s', (_name, text, expected, pointer) => {
    expect(() => parseStrictJson(text)).toThrow(code(expected, pointer));
  });

  it('never shows the value', () => {
    const secret = '110105194912310021';
    expect(() => parseStrictJson(`{"id":${secret}}`)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });

  it('reads bytes, and refuses bytes that are not UTF-8', () => {
    expect(parseStrictJson(new TextEncoder().encode('{"名":1e2,"x":0.10}'))).toEqual({ 名: 100, x: 0.1 });
    expect(() => parseStrictJson(Uint8Array.of(34, 0xff, 34))).toThrow(code('ENCODING'));
  });
});

it('names hold nothing that nobody can see', () => {
  expect(() => assertSafeName('姓名 name', '/n')).not.toThrow();
  for (const name of ['a\u202Eb', 'a\0', '\ud800']) {
    expect(() => assertSafeName(name, '/n')).toThrow(code('ENCODING', '/n'));
  }
});

it('identifiers are strings', () => {
  expect(() => assertIdIsString('11010519491231002X', '/id')).not.toThrow();
  expect(() => assertIdIsString(110105194912310020, '/id')).toThrow(code('ID_MUST_BE_STRING', '/id'));
});

it('schemas stay inside their document, small and shallow', () => {
  const deep = (depth: number): object => (depth === 0 ? {} : { not: deep(depth - 1) });
  const found = (schema: unknown) => unsafeFindings(schema).map((p) => p.pointer);
  expect(found({ $ref: '#/$defs/a', $defs: { a: {} } })).toEqual([]);
  expect(found({ a: { $ref: 'file:///etc/passwd' }, b: { $dynamicRef: '#x' } })).toEqual(['/a/$ref', '/b/$dynamicRef']);
  expect(found(deep(60))).toEqual([]);
  expect(found(deep(70))).toHaveLength(1);
  expect(found({ enum: ['x'.repeat(300_000)] })).toEqual(['']);
});
