import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { compileContract } from '../../contracts/compile.ts';
import { formats } from '../../contracts/formats/index.ts';
import { batchOf, contract } from './support/batches.ts';

const folder = join(import.meta.dirname, '../../schemas/format');
interface FormatDocument {
  format: string;
  pattern: string;
  examples: string[];
  'x-counterexamples': { value: string; why: string }[];
}
const documents: FormatDocument[] = readdirSync(folder).map((file) =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')),
);

/** Which of the texts a column of them passes. */
function passing(format: string, texts: string[]): string[] {
  const batch = batchOf({ x: { type: new arrow.Utf8(), cells: texts } });
  const { mask } = compileContract(contract({ x: { type: 'string', format } }), batch.schema).check(batch);
  return texts.filter((_, i) => mask?.[i] !== 1);
}

it('has a document for each national identifier', () => {
  expect(documents.map((d) => d.format).sort()).toEqual([
    'division-code',
    'mobile-number',
    'resident-id',
    'social-credit-code',
  ]);
});

describe.each(documents)('$format', ({ format, pattern, examples, 'x-counterexamples': counterexamples }) => {
  it('passes its examples, as text and in columns', () => {
    expect(examples.filter((text) => formats.get(format)!.text(text))).toEqual(examples);
    expect(examples.filter((text) => new RegExp(pattern, 'u').test(text))).toEqual(examples);
    expect(passing(format, examples)).toEqual(examples);
  });

  it.each(counterexamples)('refuses $why', ({ value }) => {
    expect(formats.get(format)!.text(value)).toBe(false);
    expect(passing(format, [value, examples[0]!])).toEqual([examples[0]]);
  });
});

/** The weighted sums written as the standards write them, against our faster forms: every single changed character. */
it('finds every single wrong character of a resident ID and of a credit code', () => {
  for (const [format, good, characters] of [
    ['resident-id', '11010519491231002X', '0123456789X'],
    ['social-credit-code', '91350100M000100Y43', '0123456789ABCDEFGHJKLMNPQRTUWXY'],
  ] as const) {
    const variants = [...good].flatMap((own, i) =>
      [...characters].filter((c) => c !== own).map((c) => good.slice(0, i) + c + good.slice(i + 1)),
    );
    expect(variants.length).toBeGreaterThan(100);
    expect(passing(format, [...variants, good])).toEqual([good]);
  }
});

it.each([
  ['date', ['2024-02-29', '0000-01-01'], ['2023-02-29', '2024-13-01', '2024-1-01', '+010000-01-01', '']],
  [
    'date-time',
    ['2024-02-29T23:59:59Z', '2024-02-29T00:00:00.123456789+08:00'],
    [
      '2024-02-29 00:00:00Z',
      '2024-02-29T00:00:00',
      '2024-02-29T00:00:00+0800',
      '2024-02-29T24:00:00Z',
      '2024-02-29T00:00:60Z',
      '2024-02-29t00:00:00z',
      '2024-02-29T00:00:00.Z',
    ],
  ],
  ['local-date-time', ['2024-02-29T23:59:59', '2024-02-29T23:59:59.5'], ['2024-02-29T23:59:59Z', '2024-02-29']],
  ['time', ['10:00:00Z', '10:00:00-23:59'], ['10:00:00', '10:00Z']],
  ['local-time', ['10:00:00', '10:00:00.1'], ['10:00:00Z', '24:00:00']],
  [
    'uuid',
    ['6ba7b810-9dad-11d1-80b4-00C04FD430C8'],
    ['6ba7b8109dad11d180b400c04fd430c8', '6ba7b810-9dad-11d1-80b4-00c04fd430cg'],
  ],
  ['email', ['a@b.cn'], ['a@', 'x'.repeat(3000)]],
  ['ipv4', ['127.0.0.1'], ['256.0.0.1']],
])('%s', (format, good, bad) => {
  expect([...good, ...bad].filter((text) => formats.get(format)!.text(text))).toEqual(good);
  expect(passing(format, [...good, ...bad])).toEqual(good);
});
