import { Data, type DataType } from 'apache-arrow';
import { ColumnBuilder, capacityFirst, enlarge } from './builder.ts';

const DATA_BYTES_FIRST = 16 * 1024;
/** Room behind the last byte, so that a short string can be copied by whole words. */
const SLACK_BYTES = 8;
/** Up to here copying by words beats the native call (1.6–4 ×, PERFORMANCE.md "Strings"). */
const SHORT_BYTES_MAX = 64;

/** Bytes to copy from, with a view of the same memory. There must be 3 readable bytes behind every cell. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Utf8 and Binary: offsets and one run of bytes. Text must already be valid UTF-8. */
export class BytesBuilder<T extends DataType = DataType> extends ColumnBuilder<T> {
  readonly cellBytesFixed = 4;
  private offsets = new Int32Array(capacityFirst + 1);
  /** The bytes of all cells; up to `dataLength` they are taken. */
  data: Uint8Array<ArrayBuffer> = new Uint8Array(DATA_BYTES_FIRST + SLACK_BYTES);
  dataLength = 0;
  private view = new DataView(this.data.buffer);

  get byteLength(): number {
    return this.dataLength + (this.length + 1) * 4;
  }

  /** Copies `length` bytes that start at `at`. */
  append(source: ByteSource, at: number, length: number): void {
    if (this.length === this.capacity) this.grow();
    const start = this.dataLength;
    const end = start + length;
    if (end + SLACK_BYTES > this.data.length) this.growData(end);
    if (length <= SHORT_BYTES_MAX) {
      const from = source.view;
      const to = this.view;
      for (let i = 0; i < length; i += 4) to.setInt32(start + i, from.getInt32(at + i, true), true);
    } else {
      this.data.set(source.bytes.subarray(at, at + length), start);
    }
    this.dataLength = end;
    this.offsets[++this.length] = end;
  }

  /**
   * For callers that write a cell's bytes themselves, in pieces: makes room for `bytes` more in `data`, at
   * `dataLength`, which the caller then raises. `endCell` ends the cell, `abandonCell` forgets what was written of it.
   */
  reserveBytes(bytes: number): void {
    const end = this.dataLength + bytes;
    if (end + SLACK_BYTES > this.data.length) this.growData(end);
  }

  /** Bytes of the cell under way. */
  get cellBytes(): number {
    return this.dataLength - (this.offsets[this.length] as number);
  }

  endCell(): void {
    if (this.length === this.capacity) this.grow();
    this.offsets[++this.length] = this.dataLength;
  }

  abandonCell(): void {
    this.dataLength = this.offsets[this.length] as number;
  }

  override truncate(length: number): void {
    super.truncate(length);
    this.dataLength = this.offsets[length] as number;
  }

  appendZero(): void {
    this.endCell();
  }

  protected growValues(capacity: number): void {
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  protected makeData(validity: Uint8Array | undefined): Data<T> {
    const offsets = this.offsets.subarray(0, this.length + 1);
    const values = this.data.subarray(0, this.dataLength);
    return new Data(this.type, 0, this.length, this.nullCount, [offsets, values, validity]);
  }

  private growData(needed: number): void {
    let size = this.data.length - SLACK_BYTES;
    while (size < needed + SLACK_BYTES) size *= 2;
    this.data = enlarge(this.data, size + SLACK_BYTES);
    this.view = new DataView(this.data.buffer);
  }
}
