/** The mask `truncate`: dates to the start of their month or year, coordinates to the lower corner of their grid cell. */
import { type Data, type DataType, type Field, Precision, DataType as Types } from 'apache-arrow';
import { fixedColumn } from '../../../columnar/rewrite.ts';
import { civilFromDays, daysFromCivil } from '../../../contracts/civil.ts';
import { fractionDigits, unscaledAt } from '../../../contracts/image.ts';
import { policyInvalid } from './literals.ts';
import type { CompiledMask, Mask } from './policy.ts';

type Truncate = Extract<Mask, { mask: 'truncate' }>;

/** Timestamps with a time zone are cut in UTC, naive ones as they are. @throws POLICY_INVALID */
export function truncateMask(field: Field, { to, step }: Truncate, pointer: string): CompiledMask {
  const { type } = field;
  if (to === 'grid') {
    if (step === undefined) throw policyInvalid('a grid has a step', `${pointer}/step`);
    return { field, apply: gridMask(type, step, pointer) };
  }
  if (step !== undefined) throw policyInvalid('only a grid has a step', `${pointer}/step`);
  if (Types.isDate(type) && type.ArrayType === Int32Array) {
    const starts = new Starts(to);
    return { field, apply: (data) => truncateDays(data, starts) };
  }
  if (Types.isTimestamp(type)) {
    const ticksPerDay = 86_400n * 10n ** BigInt(fractionDigits(type.unit));
    return { field, apply: (data) => truncateTicks(data, to, ticksPerDay) };
  }
  throw policyInvalid(`only dates and timestamps are truncated to a ${to}`, pointer);
}

function startOf(days: number, to: 'month' | 'year'): number {
  const { year, day } = civilFromDays(days);
  return to === 'month' ? days - day + 1 : daysFromCivil(year, 1, 1);
}

/** The calendar is asked once for a day that occurs again and again: those from 1791 to 2149. */
class Starts {
  readonly #to: 'month' | 'year';
  #known: Int32Array | undefined;

  constructor(to: 'month' | 'year') {
    this.#to = to;
  }

  of(days: number): number {
    const place = days + DAYS_KNOWN / 2;
    if (place < 0 || place >= DAYS_KNOWN) return startOf(days, this.#to);
    this.#known ??= new Int32Array(DAYS_KNOWN).fill(NOT_ASKED);
    const known = this.#known[place]!;
    if (known !== NOT_ASKED) return known;
    const start = startOf(days, this.#to);
    this.#known[place] = start;
    return start;
  }
}

/** 1970 is in the middle. */
const DAYS_KNOWN = 1 << 17;
/** No month begins here: that of the first day known began after it. */
const NOT_ASKED = -DAYS_KNOWN;

function truncateDays(data: Data, starts: Starts): Data {
  const cells: Int32Array = data.values;
  const values = new Int32Array(data.length);
  for (let row = 0; row < data.length; row++) values[row] = starts.of(cells[row]!);
  return fixedColumn(data.type, data, values);
}

function truncateTicks(data: Data, to: 'month' | 'year', ticksPerDay: bigint): Data {
  const cells: BigInt64Array = data.values;
  const values = new BigInt64Array(data.length);
  for (let row = 0; row < data.length; row++) {
    values[row] = BigInt(startOf(Number(floorQuotient(cells[row]!, ticksPerDay)), to)) * ticksPerDay;
  }
  return fixedColumn(data.type, data, values);
}

function gridMask(type: DataType, step: number, pointer: string): (data: Data) => Data {
  if (Types.isFloat(type) && type.precision !== Precision.HALF) {
    return (data) => {
      const cells: Float64Array | Float32Array = data.values;
      const values = new type.ArrayType(data.length);
      for (let row = 0; row < data.length; row++) values[row] = Math.floor(cells[row]! / step) * step;
      return fixedColumn(type, data, values);
    };
  }
  if (!Types.isDecimal(type) || type.bitWidth !== 128) {
    throw policyInvalid('only floating-point numbers and decimals are put on a grid', pointer);
  }
  const units = Math.round(step * 10 ** type.scale);
  if (units < 1 || !Number.isSafeInteger(units)) {
    throw policyInvalid('the step is finer than the column', `${pointer}/step`);
  }
  return (data) => gridDecimals(data, BigInt(units));
}

function gridDecimals(data: Data, step: bigint): Data {
  const words = new Uint32Array(data.length * 4);
  for (let row = 0; row < data.length; row++) {
    const corner = floorQuotient(unscaledAt(data.values, row), step) * step;
    for (let word = 0; word < 4; word++) words[row * 4 + word] = Number((corner >> BigInt(32 * word)) & 0xffff_ffffn);
  }
  return fixedColumn(data.type, data, words);
}

function floorQuotient(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}
