import { Data, type List } from 'apache-arrow';
import { ColumnBuilder, capacityFirst } from './builder.ts';

/** Lists: append the elements to `elements`, then close the cell with `appendList`. */
export class ListBuilder<E extends ColumnBuilder = ColumnBuilder> extends ColumnBuilder<List> {
  readonly cellBytesFixed = 4;
  readonly elements: E;
  private offsets = new Int32Array(capacityFirst + 1);

  constructor(type: List, elements: E) {
    super(type);
    this.elements = elements;
  }

  get byteLength(): number {
    return (this.length + 1) * 4 + this.elements.byteLength;
  }

  /** Ends a cell: it holds the elements that were appended since the last one ended. */
  appendList(): void {
    if (this.length === this.capacity) this.grow();
    this.offsets[++this.length] = this.elements.length;
  }

  /** Drops the elements of the cell that was not yet ended. */
  abandonList(): void {
    this.elements.truncate(this.offsets[this.length] as number);
  }

  override truncate(length: number): void {
    super.truncate(length);
    this.abandonList();
  }

  appendZero(): void {
    this.appendList();
  }

  protected growValues(capacity: number): void {
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  protected makeData(validity: Uint8Array | undefined): Data<List> {
    const offsets = this.offsets.subarray(0, this.length + 1);
    const elements = [this.elements.finish()];
    return new Data(this.type, 0, this.length, this.nullCount, [offsets, undefined, validity], elements);
  }
}
