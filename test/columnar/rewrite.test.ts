import { Utf8, vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeptEnds, starText } from '../../columnar/rewrite.ts';

const kinds: KeptEnds[] = [
  { hidden: 1, head: 1, tail: 0 },
  { hidden: 7, head: 3, tail: 4 },
];

/** As it is meant, by code points. */
function starred(text: string | null, { hidden, head, tail }: KeptEnds): string | null {
  if (text === null) return null;
  const points = [...text];
  return points
    .map((point, i) => (points.length > hidden && (i < head || i >= points.length - tail) ? point : '*'))
    .join('');
}

const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
const any = fc.string({ unit: 'binary', maxLength: 12 });
const cells = fc.oneof(
  fc.array(ascii),
  fc.array(fc.option(ascii)),
  fc.array(fc.option(any)),
  fc.array(fc.constantFrom('李', '欧阳娜娜', '𠮷野家', '')),
);

test('stars stand for characters, whatever their bytes, in whole columns and in slices of them', () => {
  fc.assert(
    fc.property(cells, fc.constantFrom(...kinds), fc.nat(5), (texts, kept, skipped) => {
      const data = vectorFromArray(texts, new Utf8()).data[0]!;
      const from = Math.min(skipped, texts.length);
      for (const [part, begin] of [
        [data, 0],
        [data.slice(from, texts.length - from), from],
      ] as const) {
        expect(textsOf(starText(part, kept))).toEqual(texts.slice(begin).map((text) => starred(text, kept)));
      }
    }),
  );
});

function textsOf(data: ReturnType<typeof starText>): (string | null)[] {
  return Array.from({ length: data.length }, (_, row) => {
    if (!data.getValid(row)) return null;
    const [from, to] = [data.valueOffsets[row]!, data.valueOffsets[row + 1]!];
    return Buffer.from(data.values.subarray(from, to)).toString();
  });
}
