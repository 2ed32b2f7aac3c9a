/**
 * What all column builders share: a length, a validity bitmap, and memory that is used again for every batch.
 *
 * Glossary
 *   builder   collects the cells of one column; a connector appends, one cell a call
 *   finish    hands out the cells as apache-arrow `Data`, a view of the builder's memory; valid until `reset`
 *   reserve   room for a caller's own loop, the fastest way; see there
 *   reset     starts the next batch in the same memory
 *
 * A null's slot is zeroed and the bits behind the last row are constant, so that equal cells give equal bytes.
 */
import type { Data, DataType } from 'apache-arrow';

const CAPACITY_FIRST = 1024;

export abstract class ColumnBuilder<T extends DataType = DataType> {
  readonly type: T;
  /** Cells so far. */
  length = 0;
  nullCount = 0;
  /** Cells that fit before memory grows; always a multiple of 8. */
  protected capacity = CAPACITY_FIRST;
  private validity = new Uint8Array(CAPACITY_FIRST >> 3).fill(0xff);

  constructor(type: T) {
    this.type = type;
  }

  /** Bytes of values and offsets that the cells take now. */
  abstract get byteLength(): number;

  /** Bytes that each cell takes, whatever it holds (offsets included; the validity bit is not). */
  abstract readonly cellBytesFixed: number;

  appendNull(): void {
    this.appendZero();
    this.setNull(this.length - 1);
  }

  /**
   * Makes room for `count` cells at once, for callers that fill columns in a loop of their own: they write the cells
   * into the builder's memory from `length` on, a null's as zeros, then `setNull` and `advance`.
   */
  reserve(count: number): void {
    while (this.length + count > this.capacity) this.grow();
  }

  /** The cell at `row`, which was or will be written as zeros, is null. */
  setNull(row: number): void {
    this.validity[row >> 3] = (this.validity[row >> 3] as number) & ~(1 << (row & 7));
    this.nullCount++;
  }

  /** `count` cells were written. */
  advance(count: number): void {
    this.length += count;
  }

  /** The cells so far, as views of this builder's memory: valid until `reset`. */
  finish(): Data<T> {
    const bitmap = this.nullCount > 0 ? this.validity.subarray(0, (this.length + 7) >> 3) : undefined;
    return this.makeData(bitmap);
  }

  reset(): void {
    this.truncate(0);
  }

  /** Forgets the cells from `length` on. */
  truncate(length: number): void {
    for (let row = length; row < this.length && this.nullCount > 0; row++) {
      const bit = 1 << (row & 7);
      const byte = this.validity[row >> 3] as number;
      if ((byte & bit) === 0) {
        this.validity[row >> 3] = byte | bit;
        this.nullCount--;
      }
    }
    this.length = length;
  }

  /** Makes room for twice as many cells. */
  protected grow(): void {
    this.capacity *= 2;
    const validity = new Uint8Array(this.capacity >> 3).fill(0xff);
    validity.set(this.validity);
    this.validity = validity;
    this.growValues(this.capacity);
  }

  /** Appends a cell of zero bytes, which stands for a null. */
  abstract appendZero(): void;
  protected abstract growValues(capacity: number): void;
  protected abstract makeData(validity: Uint8Array | undefined): Data<T>;
}

/** Bytes in a new, larger buffer. */
export function enlarge(bytes: Uint8Array, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(sizeBytes);
  larger.set(bytes);
  return larger;
}

export const capacityFirst = CAPACITY_FIRST;
