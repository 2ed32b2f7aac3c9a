import { type Bool, Data } from 'apache-arrow';
import { ColumnBuilder, capacityFirst, enlarge } from './builder.ts';

/** Booleans, one bit a cell, least significant bit first (Arrow columnar format, "Validity bitmaps" order). */
export class BoolBuilder extends ColumnBuilder<Bool> {
  readonly cellBytesFixed = 0.125;
  /** See `reserve`; bits behind the last cell are zero. */
  bits = new Uint8Array(capacityFirst >> 3);

  get byteLength(): number {
    return (this.length + 7) >> 3;
  }

  append(value: boolean): void {
    const row = this.length;
    if (row === this.capacity) this.grow();
    if (value) this.bits[row >> 3] = (this.bits[row >> 3] as number) | (1 << (row & 7));
    this.length = row + 1;
  }

  override truncate(length: number): void {
    for (let row = length; row < this.length; row++) {
      this.bits[row >> 3] = (this.bits[row >> 3] as number) & ~(1 << (row & 7));
    }
    super.truncate(length);
  }

  appendZero(): void {
    this.append(false);
  }

  protected growValues(capacity: number): void {
    this.bits = enlarge(this.bits, capacity >> 3);
  }

  protected makeData(validity: Uint8Array | undefined): Data<Bool> {
    const values = this.bits.subarray(0, this.byteLength);
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, values, validity]);
  }
}
