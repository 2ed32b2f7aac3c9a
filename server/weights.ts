/** A header that lists what its sender prefers: `Accept`, `Accept-Language` (RFC 9110 section 12.4.2). */
export interface Weighted {
  /** In lower case. */
  value: string;
  /** 0 to 1; 0: not acceptable. */
  weight: number;
}

/** In the header's order. */
export function parseWeights(header: string): Weighted[] {
  return header.split(',').map((text) => {
    const [value = '', ...parameters] = text.split(';').map((piece) => piece.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice('q='.length));
    return { value, weight: weight >= 0 && weight <= 1 ? weight : 0 };
  });
}
