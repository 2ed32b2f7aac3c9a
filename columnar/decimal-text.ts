/** Numbers as their text says them, digit for digit: a double holds neither 2^53 + 1 nor 0.1. */

/** value = ± 0.d₁d₂d₃… × 10^point; `digits` has no zeros at either end, and is empty for zero. */
export interface DecimalText {
  negative: boolean;
  digits: string;
  point: number;
}

const FORM = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
/** Arrow's widest decimal has 38 digits: what lies further out than this fits in none. */
const POINT_MAX = 64;

/** Undefined where the text is no decimal number. `NaN` and `Infinity` are none. */
export function parseDecimal(text: string): DecimalText | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = found;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  const leading = all.length - digits.length;
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return { negative: false, digits: '', point: 0 };
  return { negative: sign === '-', digits: trimmed, point: whole.length - leading + Number(exponent) };
}

/** Undefined where the number is not whole, or far beyond 128 bits. */
export function wholeNumber({ negative, digits, point }: DecimalText): bigint | undefined {
  if (digits === '') return 0n;
  if (digits.length > point || point > POINT_MAX) return undefined;
  const value = BigInt(digits.padEnd(point, '0'));
  return negative ? -value : value;
}

/** Groups of four digits as `Decimal128Builder.appendBase10000` takes them; undefined far outside of any decimal. */
export function base10000({ digits, point }: DecimalText): { groups: number[]; weight: number } | undefined {
  if (digits === '') return { groups: [], weight: 0 };
  if (Math.abs(point) > POINT_MAX) return undefined;
  const lead = (((-point % 4) + 4) % 4) as 0 | 1 | 2 | 3;
  const padded = '0'.repeat(lead) + digits;
  const groups: number[] = [];
  for (let i = 0; i < padded.length; i += 4) groups.push(Number(padded.slice(i, i + 4).padEnd(4, '0')));
  return { groups, weight: (point + lead) / 4 - 1 };
}
