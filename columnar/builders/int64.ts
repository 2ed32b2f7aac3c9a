import { Data, type DataType } from 'apache-arrow';
import { ColumnBuilder, capacityFirst } from './builder.ts';

/**
 * 64-bit integers, and what Arrow stores as such: timestamps, times. They are appended as two 32-bit halves, because
 * a BigInt a cell costs more than the rest of the decoding.
 */
export class Int64Builder<T extends DataType = DataType> extends ColumnBuilder<T> {
  readonly cellBytesFixed = 8;
  /** Two elements a cell, the low half first; see `reserve`. */
  words = new Int32Array(capacityFirst * 2);

  get byteLength(): number {
    return this.length * 8;
  }

  /** Halves of the two's complement value; bits above 32 of either are dropped. */
  append(high: number, low: number): void {
    if (this.length === this.capacity) this.grow();
    const at = this.length * 2;
    // Little-endian, as Arrow is and every platform that Node supports.
    this.words[at] = low;
    this.words[at + 1] = high;
    this.length++;
  }

  appendZero(): void {
    this.append(0, 0);
  }

  protected growValues(capacity: number): void {
    const words = new Int32Array(capacity * 2);
    words.set(this.words);
    this.words = words;
  }

  protected makeData(validity: Uint8Array | undefined): Data<T> {
    const values = new this.type.ArrayType(this.words.buffer, 0, this.length);
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, values, validity]);
  }
}
