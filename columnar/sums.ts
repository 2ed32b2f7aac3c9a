/**
 * Exact sums of integer and decimal columns, to be compared with sums that the source takes by SQL. Each cell is split
 * into 32-bit words that are summed as doubles, exact below 2^53; BigInt is used once a batch and word, never a row.
 */
import { type Data, DataType, type Decimal, type Int, type RecordBatch, type Schema } from 'apache-arrow';
import { bitAt } from './bits.ts';

/** 2^21 words of 32 bits stay below 2^53. */
const EXACT_ROWS_MAX = 2 ** 21;

interface ColumnSum {
  position: number;
  name: string;
  type: Int | Decimal;
  total: bigint;
}

export class ColumnSums {
  private readonly columns: ColumnSum[];

  constructor(schema: Schema) {
    this.columns = schema.fields.flatMap(({ name, type }, position) =>
      DataType.isInt(type) || DataType.isDecimal(type) ? [{ position, name, type, total: 0n }] : [],
    );
  }

  add(batch: RecordBatch): void {
    for (const column of this.columns) column.total += sumOf(batch.data.children[column.position]!, column.type);
  }

  /** Adds sums that were taken elsewhere, as `toText` gave them. */
  merge(sums: Record<string, string>): void {
    for (const column of this.columns) column.total += parseDecimal(sums[column.name] ?? '0', scaleOf(column.type));
  }

  /** Takes away rows that were moved elsewhere. */
  subtract(sums: Record<string, string>): void {
    for (const column of this.columns) column.total -= parseDecimal(sums[column.name] ?? '0', scaleOf(column.type));
  }

  /** Decimal text by column, with the column's scale: `12.50` for a decimal(10,2); `0` and `0.00` where all are null. */
  toText(): Record<string, string> {
    return Object.fromEntries(this.columns.map(({ name, type, total }) => [name, formatDecimal(total, scaleOf(type))]));
  }
}

/** Whether two decimal texts are the same number: `12.5`, `12.50` and `+12.500` are. */
export function sameDecimal(a: string, b: string): boolean {
  const scale = Math.max(fraction(a).length, fraction(b).length);
  return parseDecimal(a, scale) === parseDecimal(b, scale);
}

function scaleOf(type: Int | Decimal): number {
  return DataType.isDecimal(type) ? type.scale : 0;
}

function sumOf(data: Data, type: Int | Decimal): bigint {
  const wordsPerCell = type.bitWidth / 32;
  const signed = DataType.isDecimal(type) || type.isSigned;
  let total = 0n;
  for (let start = 0; start < data.length; start += EXACT_ROWS_MAX) {
    const end = Math.min(start + EXACT_ROWS_MAX, data.length);
    total += wordsPerCell <= 1 ? sumNarrow(data, start, end) : sumWords(data, start, end, wordsPerCell, signed);
  }
  return total;
}

/** Integers of up to 32 bits: one double holds the sum. */
function sumNarrow(data: Data, start: number, end: number): bigint {
  const values: Int32Array = data.values;
  let sum = 0;
  if (data.nullCount === 0) for (let row = start; row < end; row++) sum += values[row]!;
  else for (let row = start; row < end; row++) if (bitAt(data.nullBitmap, data.offset + row)) sum += values[row]!;
  return BigInt(sum);
}

/** Little-endian words; only the highest carries the sign. */
function sumWords(data: Data, start: number, end: number, words: number, signed: boolean): bigint {
  const { buffer, byteOffset } = data.values as ArrayBufferView;
  const unsignedWords = new Uint32Array(buffer, byteOffset, end * words);
  const signedWords = new Int32Array(buffer, byteOffset, end * words);
  let total = 0n;
  for (let word = 0; word < words; word++) {
    const cells = signed && word === words - 1 ? signedWords : unsignedWords;
    let sum = 0;
    if (data.nullCount === 0) {
      for (let at = start * words + word; at < end * words; at += words) sum += cells[at]!;
    } else {
      for (let row = start; row < end; row++) {
        if (bitAt(data.nullBitmap, data.offset + row)) sum += cells[row * words + word]!;
      }
    }
    total += BigInt(sum) << BigInt(32 * word);
  }
  return total;
}

function fraction(text: string): string {
  return text.split('.')[1] ?? '';
}

/** The unscaled integer of a plain decimal text. Digits beyond `scale` must be zero. */
function parseDecimal(text: string, scale: number): bigint {
  const [whole = '0'] = text.split('.');
  return BigInt(`${whole.replace('+', '')}${fraction(text).padEnd(scale, '0')}`);
}

function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
