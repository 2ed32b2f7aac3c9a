import { Data, type Decimal } from 'apache-arrow';
import { ColumnBuilder, capacityFirst } from './builder.ts';

/** Below this many decimal digits every step is exact in a double. */
const EXACT_DIGITS = 15;
const TWO_32 = 4_294_967_296;
const BASE = 10_000;

/**
 * Decimal128 without BigInt. A value comes as digits in base 10000 with a weight, the form that database wire formats
 * use: value = Σ digits[i] × 10000^(weight − i). Refused (`false`, nothing appended): more digits than the precision,
 * or non-zero digits below the scale. Nothing is rounded.
 */
export class Decimal128Builder extends ColumnBuilder<Decimal> {
  readonly cellBytesFixed = 16;
  /** Four elements a cell, least significant first, two's complement; see `reserve`. */
  words = new Int32Array(capacityFirst * 4);
  private readonly limbs = new Float64Array(4);
  private readonly bound: Float64Array;
  private readonly exactBound: number;
  /** Groups of four digits that the scale reaches below the point, and the digits it takes of the last of them. */
  private readonly fractionGroups: number;
  private readonly lastFactor: number;
  private readonly lastDivisor: number;

  constructor(type: Decimal) {
    super(type);
    this.bound = powerOfTen(type.precision);
    this.exactBound = type.precision <= EXACT_DIGITS ? 10 ** type.precision : 0;
    this.fractionGroups = Math.ceil(type.scale / 4);
    this.lastFactor = 10 ** (type.scale - 4 * this.fractionGroups + 4);
    this.lastDivisor = BASE / this.lastFactor;
  }

  get byteLength(): number {
    return this.length * 16;
  }

  /** Appends a value given in base 10000, of which the first `count` elements of `digits` are used; see the class. */
  appendBase10000(digits: ArrayLike<number>, count: number, weight: number, negative: boolean): boolean {
    const last = weight + this.fractionGroups;
    for (let i = Math.max(0, last + 1); i < count; i++) if (digits[i] !== 0) return false;
    const lastGroup = last >= 0 && last < count ? (digits[last] as number) : 0;
    if (lastGroup % this.lastDivisor !== 0) return false;
    return this.exactBound > 0
      ? this.appendExact(digits, count, last, negative)
      : this.appendLimbs(digits, count, last, negative);
  }

  /** Appends an unscaled value given as the halves of a 64-bit integer. */
  appendInt64(high: number, low: number): void {
    const sign = high < 0 ? -1 : 0;
    this.appendWords(low, high, sign, sign);
  }

  appendZero(): void {
    this.appendWords(0, 0, 0, 0);
  }

  protected growValues(capacity: number): void {
    const words = new Int32Array(capacity * 4);
    words.set(this.words);
    this.words = words;
  }

  protected makeData(validity: Uint8Array | undefined): Data<Decimal> {
    const values = new Uint32Array(this.words.buffer, 0, this.length * 4);
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, values, validity]);
  }

  /** At most 15 digits: one double holds the unscaled value exactly. */
  private appendExact(digits: ArrayLike<number>, count: number, last: number, negative: boolean): boolean {
    let value = 0;
    for (let i = 0; i < last; i++) value = value * BASE + (i < count ? (digits[i] as number) : 0);
    if (last >= 0) value = value * this.lastFactor + (last < count ? (digits[last] as number) / this.lastDivisor : 0);
    if (!(value < this.exactBound)) return false;
    if (negative) value = -value;
    const high = Math.floor(value / TWO_32);
    const sign = value < 0 ? -1 : 0;
    this.appendWords(value - high * TWO_32, high, sign, sign);
    return true;
  }

  private appendLimbs(digits: ArrayLike<number>, count: number, last: number, negative: boolean): boolean {
    const { limbs } = this;
    limbs.fill(0);
    for (let i = 0; i < last; i++) {
      if (!multiplyAdd(limbs, BASE, i < count ? (digits[i] as number) : 0)) return false;
    }
    if (last >= 0) {
      const group = last < count ? (digits[last] as number) / this.lastDivisor : 0;
      if (!multiplyAdd(limbs, this.lastFactor, group)) return false;
    }
    if (!isBelow(limbs, this.bound)) return false;
    const [a, b, c, d] = [limbs[0] as number, limbs[1] as number, limbs[2] as number, limbs[3] as number];
    if (!negative) {
      this.appendWords(a, b, c, d);
      return true;
    }
    // Two's complement: the bits turned, plus one that carries while the lower words are zero.
    const carryB = a === 0 ? 1 : 0;
    const carryC = carryB === 1 && b === 0 ? 1 : 0;
    const carryD = carryC === 1 && c === 0 ? 1 : 0;
    this.appendWords(~a + 1, ~b + carryB, ~c + carryC, ~d + carryD);
    return true;
  }

  private appendWords(a: number, b: number, c: number, d: number): void {
    if (this.length === this.capacity) this.grow();
    const at = this.length * 4;
    this.words[at] = a;
    this.words[at + 1] = b;
    this.words[at + 2] = c;
    this.words[at + 3] = d;
    this.length++;
  }
}

/** limbs = limbs × factor + addend, in base 2^32, least significant first; false where 128 bits overflow. */
function multiplyAdd(limbs: Float64Array, factor: number, addend: number): boolean {
  let carry = addend;
  for (let i = 0; i < 4; i++) {
    const product = (limbs[i] as number) * factor + carry;
    carry = Math.floor(product / TWO_32);
    limbs[i] = product - carry * TWO_32;
  }
  return carry === 0;
}

function powerOfTen(exponent: number): Float64Array {
  const limbs = new Float64Array(4);
  limbs[0] = 1;
  for (let i = 0; i < exponent; i++) multiplyAdd(limbs, 10, 0);
  return limbs;
}

function isBelow(limbs: Float64Array, bound: Float64Array): boolean {
  for (let i = 3; i >= 0; i--) {
    const difference = (limbs[i] as number) - (bound[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
