import { Data, type DataType } from 'apache-arrow';
import { ColumnBuilder, capacityFirst } from './builder.ts';

export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array;
type NumberArrayConstructor = new (length: number) => NumberArray;

/** Cells that a JavaScript number holds exactly: integers up to 32 bits, floats, days of a date. */
export class NumberBuilder<T extends DataType = DataType> extends ColumnBuilder<T> {
  readonly cellBytesFixed: number;
  /** One element a cell; see `reserve`. */
  values: NumberArray;
  private readonly ArrayOf: NumberArrayConstructor;

  constructor(type: T, ArrayOf: NumberArrayConstructor) {
    super(type);
    this.ArrayOf = ArrayOf;
    this.values = new ArrayOf(capacityFirst);
    this.cellBytesFixed = this.values.BYTES_PER_ELEMENT;
  }

  get byteLength(): number {
    return this.length * this.cellBytesFixed;
  }

  append(value: number): void {
    if (this.length === this.capacity) this.grow();
    this.values[this.length++] = value;
  }

  appendZero(): void {
    this.append(0);
  }

  protected growValues(capacity: number): void {
    const values = new this.ArrayOf(capacity);
    values.set(this.values);
    this.values = values;
  }

  protected makeData(validity: Uint8Array | undefined): Data<T> {
    const values = this.values.subarray(0, this.length);
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, values, validity]);
  }
}
