/**
 * Writes one part: an Arrow IPC file (64-byte alignment, zstd a buffer), batch by batch, as chunks for hashing and
 * staging. apache-arrow makes the metadata; the bodies are buffers of our own, so nothing is allocated for a row, and
 * little for a batch.
 *
 * Equal batches give equal bytes: padding and unused bits are zero, and so are the cells below a null.
 */
import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import { bitAt, bitmapBytes, copyBits } from './bits.ts';
import { assertLayouts, layoutOf } from './layout.ts';
import {
  aligned,
  BufferRegion,
  batchMessage,
  CompressionType,
  FieldNode,
  FileBlock,
  fileEnd,
  fileStart,
} from './message.ts';
import { compressBuffer, compressedBoundBytes, newCompressionContext } from './zstd.ts';

/**
 * The memory that bodies are compressed into, for all parts that one thread writes, one after the other.
 * Two are used in turn: one is being filled while the other is on its way to the store.
 */
export class BodyBuffers {
  readonly context = newCompressionContext();
  private readonly bodies = [new Uint8Array(1 << 16), new Uint8Array(1 << 16)];
  private turn = 0;

  next(): void {
    this.turn = 1 - this.turn;
  }

  /** Room for `bytes`, with the first `keep` bytes as they are. */
  reserve(bytes: number, keep: number): Uint8Array {
    const body = this.bodies[this.turn]!;
    if (body.byteLength >= bytes) return body;
    const larger = new Uint8Array(Math.ceil(bytes * 1.25));
    larger.set(body.subarray(0, keep));
    this.bodies[this.turn] = larger;
    return larger;
  }
}

export class PartWriter {
  private readonly schema: Schema;
  private readonly buffers: BodyBuffers;
  private readonly blocks: FileBlock[] = [];
  private offset = 0;
  private writtenRows = 0;

  /** @throws HuitongError TYPE_UNMAPPED */
  constructor(schema: Schema, buffers: BodyBuffers = new BodyBuffers()) {
    assertLayouts(schema);
    this.schema = schema;
    this.buffers = buffers;
  }

  get rows(): number {
    return this.writtenRows;
  }

  /** Bytes of all chunks so far. */
  get sizeBytes(): number {
    return this.offset;
  }

  start(): Uint8Array[] {
    return this.count([fileStart(this.schema)]);
  }

  /** The chunks are valid until the second next call with the same `BodyBuffers`. */
  batch(batch: RecordBatch): Uint8Array[] {
    const nodes: FieldNode[] = [];
    const plain: Uint8Array[] = [];
    for (const column of batch.data.children) collect(column, nodes, plain);

    this.buffers.next();
    const regions: BufferRegion[] = [];
    let length = 0;
    for (const bytes of plain) {
      const start = length;
      if (bytes.byteLength > 0) {
        const body = this.buffers.reserve(aligned(start + compressedBoundBytes(bytes.byteLength)), start);
        length += compressBuffer(this.buffers.context, bytes, body, start);
        body.fill(0, length, aligned(length));
      }
      regions.push(new BufferRegion(start, length - start));
      length = aligned(length);
    }
    const message = batchMessage(batch.numRows, nodes, regions, length, CompressionType.ZSTD);
    this.blocks.push(new FileBlock(message.byteLength, length, this.offset));
    this.writtenRows += batch.numRows;
    return this.count(length === 0 ? [message] : [message, this.buffers.reserve(0, 0).subarray(0, length)]);
  }

  end(): Uint8Array[] {
    return this.count([fileEnd(this.schema, this.blocks)]);
  }

  private count(chunks: Uint8Array[]): Uint8Array[] {
    for (const chunk of chunks) this.offset += chunk.byteLength;
    return chunks;
  }
}

/** Field nodes and uncompressed buffers of one column, children after parents, as the format's pre-order demands. */
function collect(data: Data, nodes: FieldNode[], buffers: Uint8Array[]): void {
  const { length, nullCount } = data;
  const layout = layoutOf(data.type);
  nodes.push(new FieldNode(length, layout.kind === 'null' ? length : nullCount));
  if (layout.kind === 'null') return;
  buffers.push(nullCount > 0 ? bitsOf(data.nullBitmap, data.offset, length) : NOTHING);
  switch (layout.kind) {
    case 'bits':
      buffers.push(bitsOf(data.values, data.offset, length));
      return;
    case 'fixed': {
      const bytes = bytesOf(data.values).subarray(0, length * layout.bytes);
      if (nullCount > 0) clearNulls(data, bytes, layout.bytes);
      buffers.push(bytes);
      return;
    }
    case 'variable': {
      const { begin, end, offsets } = rebased(data, layout.wide);
      buffers.push(offsets, bytesOf(data.values).subarray(begin, end));
      return;
    }
    case 'list': {
      const { begin, end, offsets } = rebased(data, layout.wide);
      buffers.push(offsets);
      const child = data.children[0]!;
      collect(begin === 0 && end === child.length ? child : child.slice(begin, end - begin), nodes, buffers);
      return;
    }
    case 'fixedList':
      collect(exactly(data.children[0]!, length * layout.size), nodes, buffers);
      return;
    case 'struct':
      for (const child of data.children) collect(exactly(child, length), nodes, buffers);
  }
}

const NOTHING = new Uint8Array(0);

function exactly(child: Data, length: number): Data {
  if (child.length < length) throw new HuitongError('ARROW_INVALID', 'a child column is shorter than its parent');
  return child.length === length ? child : child.slice(0, length);
}

function bytesOf(values: ArrayBufferView | undefined): Uint8Array {
  if (values === undefined) return NOTHING;
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A copy whose first bit is the column's first, and whose last byte has zeros behind the column's last. */
function bitsOf(bitmap: Uint8Array, offset: number, length: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(length));
  copyBits(bitmap, offset, bits, 0, length);
  return bits;
}

/** Cells below a null may hold what an earlier batch left there; it would change the digest, and may be personal. */
function clearNulls(data: Data, bytes: Uint8Array, width: number): void {
  for (let row = 0; row < data.length; row++) {
    if (!bitAt(data.nullBitmap, data.offset + row)) bytes.fill(0, row * width, (row + 1) * width);
  }
}

/** Offsets from zero, and where the column's values begin and end. */
function rebased(data: Data, wide: boolean): { begin: number; end: number; offsets: Uint8Array } {
  const { length } = data;
  const raw: Int32Array | BigInt64Array = data.valueOffsets;
  if (length === 0) return { begin: 0, end: 0, offsets: new Uint8Array(wide ? 8 : 4) };
  const begin = Number(raw[0]);
  const end = Number(raw[length]);
  if (begin === 0) return { begin, end, offsets: bytesOf(raw.subarray(0, length + 1)) };
  if (raw instanceof BigInt64Array) {
    const shift = raw[0]!;
    return { begin, end, offsets: bytesOf(raw.subarray(0, length + 1).map((offset) => offset - shift)) };
  }
  return { begin, end, offsets: bytesOf(raw.subarray(0, length + 1).map((offset) => offset - begin)) };
}
