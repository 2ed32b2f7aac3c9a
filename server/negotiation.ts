/** Which rendition an `Accept` header asks for (RFC 9110 section 12.5.1). */
import { HuitongError } from '../lib/errors.ts';
import { parseWeights, type Weighted } from './weights.ts';

/** What a resource can be answered as, best first. A format may have several media types. */
export type MediaTypes<Format> = readonly (readonly [type: string, format: Format])[];

export const dataTypes = [
  ['application/vnd.apache.arrow.stream', 'arrow'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
] as const;

export const quarantineTypes = [
  ['application/json', 'page'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
] as const;

/** The acceptable type of the highest weight; the best of ours where weights are equal. Throws NOT_ACCEPTABLE. */
export function negotiate<Format>(
  accept: string | undefined,
  types: MediaTypes<Format>,
): { type: string; format: Format } {
  const ranges = parseWeights(accept?.trim() || '*/*');
  let best: { type: string; format: Format; weight: number } | undefined;
  for (const [type, format] of types) {
    const weight = weightOf(type, ranges);
    if (weight > (best?.weight ?? 0)) best = { type, format, weight };
  }
  if (best) return best;
  throw new HuitongError(
    'NOT_ACCEPTABLE',
    `可提供的格式：${types.map(([type]) => type).join(', ')} · it is served as ${types.map(([type]) => type).join(', ')}`,
  );
}

/** The most specific range that matches decides. */
function weightOf(type: string, ranges: Weighted[]): number {
  for (const candidate of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const found = ranges.find(({ value }) => value === candidate);
    if (found) return found.weight;
  }
  return 0;
}
