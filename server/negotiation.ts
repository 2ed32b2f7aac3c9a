/** Which rendition an `Accept` header asks for (RFC 9110 section 12.5.1). */
import type { Format } from '../exchange/access/read.ts';
import { HuitongError } from '../lib/errors.ts';

const mediaTypes: [type: string, format: Format][] = [
  ['application/vnd.apache.arrow.stream', 'arrow'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
];

/** The acceptable format of the highest weight, in our order where weights are equal. Throws NOT_ACCEPTABLE. */
export function negotiateFormat(accept: string | undefined): Format {
  if (accept === undefined || accept.trim() === '') return 'arrow';
  const ranges = accept.split(',').map(parseRange);
  let best: { format: Format; weight: number } | undefined;
  for (const [type, format] of mediaTypes) {
    const weight = weightOf(type, ranges);
    if (weight > (best?.weight ?? 0)) best = { format, weight };
  }
  if (best) return best.format;
  throw new HuitongError('NOT_ACCEPTABLE', `the data is served as ${mediaTypes.map(([type]) => type).join(', ')}`);
}

interface MediaRange {
  type: string;
  weight: number;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((piece) => piece.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, weight: Number.isFinite(weight) ? weight : 0 };
}

/** The most specific range that matches decides. */
function weightOf(type: string, ranges: MediaRange[]): number {
  const candidates = [type, `${type.split('/')[0]}/*`, '*/*'];
  for (const candidate of candidates) {
    const found = ranges.find((range) => range.type === candidate);
    if (found) return found.weight;
  }
  return 0;
}
