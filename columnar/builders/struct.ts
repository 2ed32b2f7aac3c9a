import { Data, type Struct } from 'apache-arrow';
import { ColumnBuilder } from './builder.ts';

/** Structs: append one cell to every child, then close the cell with `appendStruct`. Under a null the children are zero. */
export class StructBuilder extends ColumnBuilder<Struct> {
  readonly cellBytesFixed: number;
  readonly children: ColumnBuilder[];

  constructor(type: Struct, children: ColumnBuilder[]) {
    super(type);
    this.children = children;
    this.cellBytesFixed = children.reduce((sum, child) => sum + child.cellBytesFixed, 0);
  }

  get byteLength(): number {
    return this.children.reduce((sum, child) => sum + child.byteLength, 0);
  }

  /** Ends a cell: each child has got one since the last one ended. */
  appendStruct(): void {
    if (this.length === this.capacity) this.grow();
    this.length++;
  }

  override truncate(length: number): void {
    super.truncate(length);
    for (const child of this.children) child.truncate(length);
  }

  appendZero(): void {
    for (const child of this.children) child.appendZero();
    this.appendStruct();
  }

  protected growValues(): void {
    // A struct has no values of its own.
  }

  protected makeData(validity: Uint8Array | undefined): Data<Struct> {
    const children = this.children.map((child) => child.finish());
    return new Data(this.type, 0, this.length, this.nullCount, [undefined, undefined, validity], children);
  }
}
