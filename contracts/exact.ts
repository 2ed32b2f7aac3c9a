/**
 * Exact numbers. A JSON number means its text: a decimal with finitely many digits. JavaScript's `number` holds most of
 * them; an int64 beyond 2^53 or a decimal of more than 15 digits is kept as an `ExactNumber` instead, so that bounds
 * and `multipleOf` never round.
 *
 * A `number` stands for the decimal that its shortest text shows (ECMA-262, Number::toString): 0.1 is one tenth.
 * Shortest texts keep the order of the doubles, so two `number`s are compared as doubles.
 */
export class ExactNumber {
  /** The value is `unscaled` / 10^`scale`; `scale` is never negative. */
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  toString(): string {
    return decimalText(this.unscaled, this.scale);
  }
}

export type ImageNumber = number | ExactNumber;

/** Unscaled integers below this have a quotient by a power of ten whose shortest text is the decimal itself. */
const shortDigits = 1_000_000_000_000_000n;
/** Powers of ten that a double holds exactly. */
const exactPowerMax = 22;

/** The decimal's digits with exactly `scale` of them after the point: (-5, 2) is `-0.05`. */
export function decimalText(unscaled: bigint, scale: number): string {
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = negative ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The value of unscaled / 10^scale: a `number` where that is exact, else an `ExactNumber`. */
export function imageNumber(unscaled: bigint, scale: number): ImageNumber {
  if (unscaled < shortDigits && unscaled > -shortDigits && scale <= exactPowerMax) {
    return Number(unscaled) / 10 ** scale;
  }
  return new ExactNumber(unscaled, scale);
}

/** What a finite `number`'s shortest text says, as unscaled and scale. */
export function toExact(value: ImageNumber): ExactNumber {
  if (typeof value !== 'number') {
    return value;
  }
  const [mantissa = '0', exponentText = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponentText);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? new ExactNumber(digits, scale) : new ExactNumber(digits * 10n ** BigInt(-scale), 0);
}

function rescale(value: ExactNumber, scale: number): bigint {
  return value.unscaled * 10n ** BigInt(scale - value.scale);
}

/** Negative, zero or positive as a is below, equal to or above b. */
export function compareExact(a: ImageNumber, b: ImageNumber): number {
  if (typeof a === 'number' && typeof b === 'number') {
    return a - b;
  }
  const [x, y] = [toExact(a), toExact(b)];
  const scale = Math.max(x.scale, y.scale);
  const difference = rescale(x, scale) - rescale(y, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isIntegral(value: ImageNumber): boolean {
  if (typeof value === 'number') {
    return Number.isInteger(value);
  }
  return value.unscaled % 10n ** BigInt(value.scale) === 0n;
}

/** Whether value / divisor is an integer; `divisor` is positive. */
export function isMultipleOf(value: ImageNumber, divisor: number): boolean {
  const [x, y] = [toExact(value), toExact(divisor)];
  const scale = Math.max(x.scale, y.scale);
  return rescale(x, scale) % rescale(y, scale) === 0n;
}

/** The least unscaled integer at `scale` that is at least (or, when `strict`, above) the bound. */
export function leastUnscaled(bound: number, scale: number, strict: boolean): bigint {
  const [quotient, remainder] = divideFloor(bound, scale);
  return remainder === 0n && !strict ? quotient : quotient + 1n;
}

/** The greatest unscaled integer at `scale` that is at most (or, when `strict`, below) the bound. */
export function greatestUnscaled(bound: number, scale: number, strict: boolean): bigint {
  const [quotient, remainder] = divideFloor(bound, scale);
  return remainder === 0n && strict ? quotient - 1n : quotient;
}

/** bound * 10^scale, rounded down, and what is left over (only its being zero matters). */
function divideFloor(bound: number, scale: number): [bigint, bigint] {
  const exact = toExact(bound);
  if (exact.scale <= scale) {
    return [rescale(exact, scale), 0n];
  }
  const unit = 10n ** BigInt(exact.scale - scale);
  const remainder = exact.unscaled % unit;
  const quotient = exact.unscaled / unit;
  return remainder < 0n ? [quotient - 1n, remainder] : [quotient, remainder];
}
