/**
 * Text and bytes of any length into a column, in pieces: one `CellWriter` a column. `begin`, any number of `write`s,
 * then `end`, which says what is wrong with the cell; then nothing of it was kept.
 */
import { isUtf8 } from 'node:buffer';
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ByteSource, BytesBuilder } from '../../columnar/builders/index.ts';
import { limits } from '../../lib/limits.ts';
import { writeUtf8 } from './utf16.ts';

export type Problem = UnrepresentableCell['code'] | undefined;

export interface CellWriter {
  begin(): void;
  /** Throws CellTooLarge. */
  write(source: ByteSource, at: number, length: number): void;
  /** Ends the cell; on a problem nothing was appended. */
  end(): Problem;
}

/** A cell larger than `cellBytesMax`; whoever knows the column's name says it. */
export class CellTooLarge extends Error {}

function assertSize(builder: BytesBuilder): void {
  if (builder.cellBytes > limits.cellBytesMax) throw new CellTooLarge();
}

/** The bytes as they are. */
export class RawWriter implements CellWriter {
  protected readonly builder: BytesBuilder;

  constructor(builder: BytesBuilder) {
    this.builder = builder;
  }

  begin(): void {}

  write(source: ByteSource, at: number, length: number): void {
    const { builder } = this;
    builder.reserveBytes(length);
    builder.data.set(source.bytes.subarray(at, at + length), builder.dataLength);
    builder.dataLength += length;
    assertSize(builder);
  }

  end(): Problem {
    this.builder.endCell();
    return undefined;
  }
}

/** `varchar` under a UTF-8 collation. */
export class Utf8Writer extends RawWriter {
  override end(): Problem {
    const { builder } = this;
    const cell = builder.data.subarray(builder.dataLength - builder.cellBytes, builder.dataLength);
    if (isUtf8(cell)) return super.end();
    builder.abandonCell();
    return 'INVALID_TEXT';
  }
}

/** UTF-16, little-endian; a piece may end within a character. A surrogate without its other half is INVALID_TEXT. */
export class Utf16Writer implements CellWriter {
  private readonly builder: BytesBuilder;
  /** What the last piece left over: an odd byte, half of a surrogate pair, or both. */
  private readonly carry = Buffer.alloc(4 + 16);
  private readonly carryView = new DataView(this.carry.buffer, this.carry.byteOffset, this.carry.length);
  private carried = 0;
  private isValid = true;

  constructor(builder: BytesBuilder) {
    this.builder = builder;
  }

  begin(): void {
    this.carried = 0;
    this.isValid = true;
  }

  write(source: ByteSource, start: number, length: number): void {
    let at = start;
    const end = start + length;
    while (this.carried > 0 && at < end) {
      this.carry[this.carried++] = source.bytes[at++] as number;
      if (this.carried === 4 || (this.carried === 2 && !isHighSurrogate(this.carry, 2))) this.convertCarry();
    }
    if (at === end) return;
    let whole = at + ((end - at) & ~1);
    if (whole > at && isHighSurrogate(source.bytes, whole)) whole -= 2;
    this.convert(source, at, whole);
    for (at = whole; at < end; at++) this.carry[this.carried++] = source.bytes[at] as number;
    assertSize(this.builder);
  }

  end(): Problem {
    if (this.carried === 0 && this.isValid) {
      this.builder.endCell();
      return undefined;
    }
    this.builder.abandonCell();
    return 'INVALID_TEXT';
  }

  private convertCarry(): void {
    this.convert({ bytes: this.carry, view: this.carryView }, 0, this.carried);
    this.carried = 0;
  }

  private convert(source: ByteSource, at: number, end: number): void {
    const { builder } = this;
    builder.reserveBytes(((end - at) >> 1) * 3);
    const next = writeUtf8(source, at, end, builder.data, builder.dataLength);
    if (next < 0) this.isValid = false;
    else builder.dataLength = next;
  }
}

/** `varchar` in a code page that WHATWG's Encoding Standard knows; ASCII, which all of them share, is copied. */
export class CodePageWriter implements CellWriter {
  private readonly builder: BytesBuilder;
  private readonly encoding: string;
  private decoder: InstanceType<typeof TextDecoder> | undefined;
  private isValid = true;

  constructor(builder: BytesBuilder, encoding: string) {
    this.builder = builder;
    this.encoding = encoding;
  }

  begin(): void {
    this.decoder = undefined;
    this.isValid = true;
  }

  write(source: ByteSource, at: number, length: number): void {
    const { builder } = this;
    builder.reserveBytes(length);
    if (this.decoder !== undefined || !copyAscii(source.bytes, at, length, builder)) {
      this.decoder ??= new TextDecoder(this.encoding, { fatal: true, ignoreBOM: true });
      this.decode(source.bytes.subarray(at, at + length), true);
    }
    assertSize(builder);
  }

  end(): Problem {
    if (this.decoder !== undefined) this.decode(new Uint8Array(0), false);
    if (this.isValid) {
      this.builder.endCell();
      return undefined;
    }
    this.builder.abandonCell();
    return 'INVALID_TEXT';
  }

  private decode(bytes: Uint8Array, stream: boolean): void {
    const { builder } = this;
    try {
      const text = this.decoder?.decode(bytes, { stream }) ?? '';
      builder.reserveBytes(text.length * 3);
      builder.dataLength += encoder.encodeInto(text, builder.data.subarray(builder.dataLength)).written;
    } catch {
      // `fatal`: bytes that the code page does not define.
      this.isValid = false;
    }
  }
}

const encoder = new TextEncoder();

/** False where a byte is not ASCII; then nothing was copied. */
function copyAscii(bytes: Uint8Array, at: number, length: number, builder: BytesBuilder): boolean {
  const { data, dataLength } = builder;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i] as number;
    if (byte >= 0x80) return false;
    data[dataLength + i] = byte;
  }
  builder.dataLength = dataLength + length;
  return true;
}

/** Whether the code unit that ends at `end` is the first half of a surrogate pair. */
function isHighSurrogate(bytes: Uint8Array, end: number): boolean {
  return ((bytes[end - 1] as number) & 0xfc) === 0xd8;
}
