import { Data, type FixedSizeBinary } from 'apache-arrow';
import { ColumnBuilder, capacityFirst, enlarge } from './builder.ts';
import type { ByteSource } from './bytes.ts';

/** Cells of `type.byteWidth` bytes each, such as a UUID. */
export class FixedSizeBinaryBuilder extends ColumnBuilder<FixedSizeBinary> {
  readonly cellBytesFixed: number;
  /** `type.byteWidth` elements a cell; see `reserve`. */
  values: Uint8Array;

  constructor(type: FixedSizeBinary) {
    super(type);
    this.cellBytesFixed = type.byteWidth;
    this.values = new Uint8Array(capacityFirst * type.byteWidth);
  }

  get byteLength(): number {
    return this.length * this.cellBytesFixed;
  }

  /** Copies one cell that starts at `at`. */
  append(source: ByteSource, at: number): void {
    if (this.length === this.capacity) this.grow();
    const width = this.cellBytesFixed;
    const start = this.length * width;
    for (let i = 0; i < width; i++) this.values[start + i] = source.bytes[at + i] as number;
    this.length++;
  }

  appendZero(): void {
    if (this.length === this.capacity) this.grow();
    this.values.fill(0, this.length * this.cellBytesFixed, (this.length + 1) * this.cellBytesFixed);
    this.length++;
  }

  protected growValues(capacity: number): void {
    this.values = enlarge(this.values, capacity * this.cellBytesFixed);
  }

  protected makeData(validity: Uint8Array | undefined): Data<FixedSizeBinary> {
    const values = this.values.subarray(0, this.length * this.cellBytesFixed);
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, values, validity]);
  }
}
