/** Cells from text and JSON with all its digits, against BigInt and JSON.parse where those are exact. */
import {
  type DataType,
  Date_,
  DateUnit,
  Decimal,
  Field,
  Float64,
  Int16,
  Int64,
  Schema,
  TimestampMicrosecond,
  Uint8,
  Utf8,
} from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builderFor, finishBatch } from '../../columnar/builders/index.ts';
import { base10000, parseDecimal, wholeNumber } from '../../columnar/decimal-text.ts';
import { atPointer, exactJsonText, JsonNumber, parseExactJson } from '../../columnar/exact-json.ts';
import { textAppender } from '../../columnar/text-cells.ts';
import { renderCell } from '../../connectors/conformance/render.ts';

/** The cell as the kit renders it, or the reason why there is none. */
function cell(type: DataType, text: string): string | null {
  const builder = builderFor(type);
  const problem = textAppender(type, builder)(text);
  const batch = finishBatch(new Schema([new Field('c', type, true)]), [builder], 1);
  const rendered = renderCell(batch.getChildAt(0)!, 0);
  expect(rendered === null).toBe(problem !== undefined);
  return problem ?? rendered;
}

describe('numbers', () => {
  test('any integer is kept, or is out of range', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        const fits = value >= -(2n ** 63n) && value < 2n ** 63n;
        expect(cell(new Int64(), String(value))).toBe(fits ? String(value) : 'OUT_OF_RANGE');
      }),
    );
    expect([cell(new Int16(), '-32768'), cell(new Int16(), '32768')]).toEqual(['-32768', 'OUT_OF_RANGE']);
    expect([cell(new Uint8(), '255'), cell(new Uint8(), '-1')]).toEqual(['255', 'OUT_OF_RANGE']);
  });

  test('any decimal is kept to the last digit, however it is written', () => {
    const type = new Decimal(10, 38, 128);
    const bound = 10n ** 38n;
    fc.assert(
      fc.property(
        fc.bigInt({ min: -bound * 2n, max: bound * 2n }),
        fc.integer({ min: -12, max: 12 }),
        (unscaled, shift) => {
          // unscaled × 10^-10, with the point moved by an exponent.
          const negative = unscaled < 0n;
          const digits = String(negative ? -unscaled : unscaled).padStart(11, '0');
          const plain = `${negative ? '-' : ''}${digits.slice(0, -10)}.${digits.slice(-10)}`;
          const moved = `${negative ? '-' : ''}${digits}e${shift - 10 - shift}`;
          const wanted = unscaled > -bound && unscaled < bound ? plain.replace(/^-(0\.0+)$/, '$1') : 'OUT_OF_RANGE';
          expect(cell(type, plain)).toBe(wanted);
          expect(cell(type, moved)).toBe(wanted);
        },
      ),
    );
  });

  test('base 10000 and whole numbers agree', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 38n }), fc.integer({ min: 0, max: 20 }), (value, zeros) => {
        const decimal = parseDecimal(`${value}${'0'.repeat(zeros)}.000`)!;
        expect(wholeNumber(decimal)).toBe(value * 10n ** BigInt(zeros));
        const { groups, weight } = base10000(decimal)!;
        const sum = groups.reduce((all, group, i) => all + BigInt(group) * 10_000n ** BigInt(weight - i), 0n);
        expect(sum).toBe(value * 10n ** BigInt(zeros));
      }),
    );
  });

  test('an exponent of any size costs nothing', () => {
    const type = new Decimal(2, 10, 128);
    for (const text of ['1e999999999', '1e-999999999', '9'.repeat(5000)]) expect(cell(type, text)).toBe('OUT_OF_RANGE');
    expect(cell(type, '0e999999999')).toBe('0.00');
    for (const text of ['', '.', '1e', '--1', '0x10', '1_000', '１']) expect(cell(type, text)).toBe('INVALID_TEXT');
    expect([cell(type, 'NaN'), cell(type, '-Infinity'), cell(new Float64(), 'NaN')]).toEqual([
      'NOT_A_NUMBER',
      'INFINITE',
      'NaN',
    ]);
  });
});

test('dates and times of every year that Arrow’s readers know, and no other', () => {
  const date = new Date_(DateUnit.DAY);
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (day) => {
        const text = day.toISOString();
        expect(cell(date, text.slice(0, 10))).toBe(text.slice(0, 10));
        const shown =
          text.slice(0, 19).replace('T', ' ') +
          (text.slice(19, 23) === '.000' ? '' : text.slice(19, 23).replace(/0+$/, ''));
        expect(cell(new TimestampMicrosecond('UTC'), text)).toBe(`${shown}+00`);
        expect(cell(new TimestampMicrosecond(), text.slice(0, -1))).toBe(shown);
      },
    ),
  );
  for (const text of ['2026-02-30', '0000-01-01', '10000-01-01', '-0044-03-15'])
    expect(cell(date, text)).toBe('OUT_OF_RANGE');
  expect(cell(new TimestampMicrosecond('UTC'), '2026-03-01T08:00:00+0800')).toBe('2026-03-01 00:00:00+00');
});

test('text that has no UTF-8 is refused, all other is kept', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(cell(new Utf8(), text)).toBe(/\p{Surrogate}/u.test(text) ? 'INVALID_TEXT' : text);
    }),
  );
});

describe('JSON', () => {
  /** As JSON.parse gives it. */
  const plain = (value: ReturnType<typeof parseExactJson>): unknown => {
    if (value instanceof JsonNumber) return Number(value.text);
    if (Array.isArray(value)) return value.map(plain);
    return value instanceof Map ? Object.fromEntries([...value].map(([name, member]) => [name, plain(member)])) : value;
  };

  test('reads what JSON.parse reads, and writes it back digit for digit', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(plain(parseExactJson(spaced))).toEqual(JSON.parse(spaced));
        expect(JSON.parse(exactJsonText(parseExactJson(spaced)))).toEqual(JSON.parse(spaced));
      }),
    );
    const digits = '[9007199254740993,0.10000000000000001,1E400,-0]';
    expect(exactJsonText(parseExactJson(digits))).toBe(digits);
  });

  test('refuses what JSON.parse refuses, and a member that stands twice', () => {
    for (const text of [
      '',
      '01',
      '1.',
      '+1',
      "'a'",
      '[1,]',
      '{"a":1,}',
      '"\t"',
      '"\\x"',
      '"\\ud8"',
      'nul',
      '[1] 2',
      '\ufeff1',
      '[',
      '"',
    ]) {
      expect(() => JSON.parse(text), text).toThrow();
      expect(() => parseExactJson(text), text).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
    }
    expect(() => parseExactJson('{"a":1,"\\u0061":2}')).toThrow(expect.objectContaining({ code: 'JSON_AMBIGUOUS' }));
    expect(() => parseExactJson('['.repeat(100_000))).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  test('pointers of RFC 6901, section 5', () => {
    const document = parseExactJson('{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"__proto__":9}');
    const at = (pointer: string) => plain(atPointer(document, pointer) ?? null);
    expect(['/foo/0', '/', '/a~1b', '/m~0n', '/__proto__', '/foo/2', '/foo/00', '/x/y'].map(at)).toEqual([
      'bar',
      0,
      1,
      8,
      9,
      null,
      null,
      null,
    ]);
    expect(atPointer(document, '')).toBe(document);
  });
});
