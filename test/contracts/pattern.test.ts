import fc from 'fast-check';
import { expect, it } from 'vitest';
import { validateContract } from '../../contracts/compile.ts';
import { createOracle } from '../../contracts/oracle.ts';
import { PatternRefused } from '../../contracts/regex/parse.ts';
import { compilePattern, patternTest } from '../../contracts/regex/pattern.ts';
import { fixedShape } from '../../contracts/regex/shape.ts';
import { contract } from './support/batches.ts';

const atom = fc.constantFrom(
  'a',
  'b',
  '王',
  '😀',
  '.',
  '\\d',
  '\\W',
  '\\s',
  '[a-c]',
  '[^b王]',
  '[\\u4e00-\\u9fff]',
  '\\p{L}',
  '\\u{1F600}',
  '\\.',
  '(?:ab|王)',
  '(a|)',
);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{0,}', '*?');
const branch = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.tuple(atom, quantifier).map(([a, q]) => a + q),
      { maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([start, items, end]) => (start ? '^' : '') + items.join('') + (end ? '$' : ''));
const pattern = fc.array(branch, { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|'));
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '王', '😀', '1', '\n', ' ', '.'), maxLength: 8 });

/** Null where the automaton would be too large: allowed, and rare enough not to empty the test. */
function linearTest(source: string): ((value: string) => boolean) | null {
  try {
    return patternTest(source);
  } catch (e) {
    expect(e).toBeInstanceOf(PatternRefused);
    return null;
  }
}

it('matches what JavaScript matches', () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 12, maxLength: 12 }), (source, texts) => {
      const linear = linearTest(source);
      fc.pre(linear !== null);
      const native = new RegExp(source, 'u');
      expect(texts.map(linear)).toEqual(texts.map((t) => native.test(t)));
    }),
    { numRuns: 400 },
  );
});

it('stays linear where a backtracking engine does not', () => {
  // Backtracking would take longer than there is time.
  expect(patternTest('^(a+)+$')(`${'a'.repeat(200_000)}b`)).toBe(false);
});

it.each(['(?=a)', '(?<!a)b', '\\ba', '(a)\\1', '(?<n>a)\\k<n>', '(^a)', 'a$b', 'a{1001}', '(a|b)*a(a|b){14}'])(
  'refuses %s',
  (source) => {
    expect(() => compilePattern(source)).toThrow(PatternRefused);
  },
);

it('tells what is no expression at all', () => {
  expect(() => compilePattern('a{2')).toThrow(SyntaxError);
});

it('sees fixed shapes, and only those', () => {
  expect(fixedShape(compilePattern('^\\d{17}[\\dX]$'))?.length).toBe(18);
  for (const source of ['^\\d+$', '\\d{3}', '^a?$', '^ab|ac$', '^[王好]$|^a$']) {
    expect(fixedShape(compilePattern(source))).toBeNull();
  }
});

it('two patterns of one contract are two, also below a composite', () => {
  const { root } = validateContract(contract({ x: { pattern: 'b', not: { pattern: '^a' } }, y: { pattern: 'c' } }));
  const oracle = createOracle(root);
  expect(oracle.passes({ x: 'b', y: 'c' })).toBe(true);
  for (const row of [
    { x: 'ab', y: 'c' },
    { x: 'a', y: 'c' },
    { x: 'c', y: 'c' },
    { x: 'b', y: 'b' },
  ]) {
    expect({ row, passes: oracle.passes(row) }).toEqual({ row, passes: false });
  }
});
