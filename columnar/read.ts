/**
 * Reads parts: Arrow IPC files of ours, or of anyone, as long as their types are among `layoutOf`'s. A file comes from
 * outside until its contents are checked: every length is compared with what there is before it is believed, and every
 * failure is ARROW_INVALID. One batch is in memory at a time.
 */
import { Data, type DataType, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { bitmapBytes } from './bits.ts';
import { assertLayouts, childFields, layoutOf, messageShape } from './layout.ts';
import {
  aligned,
  type BatchMetadata,
  CompressionType,
  type FileBlock,
  invalidUnless,
  MAGIC,
  MESSAGE_PREFIX_BYTES,
  readBatchMessage,
  readFooter,
  readSchemaMessage,
} from './message.ts';
import { announcedBytes, decompressBuffer, newDecompressionContext } from './zstd.ts';

/** Gives exactly `length` bytes from `offset`; they stay valid. A store, a file, or memory. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** Where everything is in one part; no cell has been read. */
export interface PartIndex {
  schema: Schema;
  sizeBytes: number;
  rows: number;
  batches: BatchIndex[];
}

export interface BatchIndex {
  /** Of the message within the part: metadata first, then the body. */
  offset: number;
  metadataBytes: number;
  bodyBytes: number;
  rows: number;
  metadata: BatchMetadata;
}

const TAIL_BYTES = 4 + MAGIC.byteLength;
const context = newDecompressionContext();

/** Of one buffer, compressed or not, into memory that `allocate` gives: aligned, its content of no matter. */
export function restorerOf(
  { compression }: BatchMetadata,
  allocate: Allocate = newBytes,
): (stored: Uint8Array) => Uint8Array {
  return compression === null ? (one) => copyBuffer(one, allocate) : (one) => decompressBuffer(context, one, allocate);
}

type Allocate = (bytes: number) => Uint8Array;

/** For what is kept. */
function newBytes(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

/** Memory of one batch at a time, for who is done with a batch before the next is read: little is left to collect. */
export class BatchMemory {
  private block = new ArrayBuffer(0);
  private asked = 0;

  /** What was given before may be overwritten from now on. */
  reset(): void {
    if (this.asked > this.block.byteLength) this.block = new ArrayBuffer(this.asked);
    this.asked = 0;
  }

  readonly allocate = (bytes: number): Uint8Array => {
    const start = this.asked;
    this.asked = aligned(start + bytes);
    return this.asked <= this.block.byteLength ? new Uint8Array(this.block, start, bytes) : new Uint8Array(bytes);
  };
}

export function readAtOf(bytes: Uint8Array): ReadAt {
  return async (offset, length) => bytes.subarray(offset, offset + length);
}

/** Reads the footer and each batch's metadata. @throws HuitongError ARROW_INVALID, TYPE_UNMAPPED */
export async function readPartIndex(readAt: ReadAt, sizeBytes: number): Promise<PartIndex> {
  if (sizeBytes < TAIL_BYTES + MAGIC.byteLength) throw invalid('the file is too short');
  const tail = await readExactly(readAt, sizeBytes - TAIL_BYTES, TAIL_BYTES);
  if (MAGIC.some((byte, i) => tail[4 + i] !== byte)) throw invalid('the file does not end as an Arrow file does');
  const footerBytes = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
  const footerStart = sizeBytes - TAIL_BYTES - footerBytes;
  if (footerBytes <= 0 || footerBytes > limits.arrowMetadataBytesMax || footerStart < 0) {
    throw invalid('the footer has an impossible length');
  }
  const { schema, blocks } = readFooter(await readExactly(readAt, footerStart, footerBytes));
  invalidUnless('the schema', () => assertLayouts(schema));
  const batches: BatchIndex[] = [];
  for (const block of blocks) batches.push(await readBlock(readAt, block, schema, footerStart));
  return { schema, sizeBytes, rows: batches.reduce((sum, batch) => sum + batch.rows, 0), batches };
}

/**
 * The same for the stream format, which has no footer: from message to message. Whatever stands behind the end of the
 * stream is not looked at. @throws HuitongError ARROW_INVALID, TYPE_UNMAPPED
 */
export async function readStreamIndex(readAt: ReadAt, sizeBytes: number): Promise<PartIndex> {
  const first = await readMessage(readAt, 0, sizeBytes);
  if (first === undefined) throw invalid('the stream has no schema');
  const schema = readSchemaMessage(first);
  invalidUnless('the schema', () => assertLayouts(schema));
  const batches: BatchIndex[] = [];
  let rows = 0;
  for (let offset = first.byteLength; ; ) {
    const framed = await readMessage(readAt, offset, sizeBytes);
    if (framed === undefined) return { schema, sizeBytes, rows, batches };
    const { metadata, bodyBytes } = readBatchMessage(framed);
    const metadataBytes = framed.byteLength;
    if (bodyBytes < 0 || offset + metadataBytes + bodyBytes > sizeBytes)
      throw invalid('the stream ends within a batch');
    invalidUnless('a record batch message', () => assertShape(metadata, schema, bodyBytes));
    batches.push({ offset, metadataBytes, bodyBytes, rows: metadata.length, metadata });
    rows += metadata.length;
    offset += metadataBytes + bodyBytes;
  }
}

/** One message's metadata with its prefix; undefined at the end of the stream. */
async function readMessage(readAt: ReadAt, offset: number, sizeBytes: number): Promise<Uint8Array | undefined> {
  if (offset + MESSAGE_PREFIX_BYTES > sizeBytes) return undefined;
  const prefix = await readExactly(readAt, offset, MESSAGE_PREFIX_BYTES);
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  if (view.getInt32(0, true) !== -1) throw invalid('a message does not begin as one of the stream format does');
  const length = view.getInt32(4, true);
  if (length === 0) return undefined;
  if (length < 0 || length > limits.arrowMetadataBytesMax || offset + MESSAGE_PREFIX_BYTES + length > sizeBytes) {
    throw invalid('the metadata of a message has an impossible length');
  }
  return readExactly(readAt, offset, MESSAGE_PREFIX_BYTES + length);
}

async function readBlock(readAt: ReadAt, block: FileBlock, schema: Schema, end: number): Promise<BatchIndex> {
  const { offset, metaDataLength: metadataBytes, bodyLength: bodyBytes } = block;
  const lengths = [offset, metadataBytes - MESSAGE_PREFIX_BYTES, bodyBytes];
  if (lengths.some((length) => length < 0) || offset + metadataBytes + bodyBytes > end) {
    throw invalid('a block of the footer lies outside the file');
  }
  if (metadataBytes > limits.arrowMetadataBytesMax) throw invalid('the metadata of a batch is too long');
  const message = readBatchMessage(await readExactly(readAt, offset, metadataBytes));
  if (message.bodyBytes !== bodyBytes) throw invalid('footer and message disagree on the length of a body');
  invalidUnless('a record batch message', () => assertShape(message.metadata, schema, bodyBytes));
  return { offset, metadataBytes, bodyBytes, rows: message.metadata.length, metadata: message.metadata };
}

/** The counts that the schema demands, and buffers one behind the other within the body, as every writer lays them. */
function assertShape(metadata: BatchMetadata, schema: Schema, bodyBytes: number): void {
  const wanted = { nodes: 0, buffers: 0 };
  for (const field of schema.fields) {
    const shape = messageShape(field.type);
    wanted.nodes += shape.nodes;
    wanted.buffers += shape.buffers;
  }
  if (metadata.nodes.length !== wanted.nodes || metadata.buffers.length !== wanted.buffers) {
    throw invalid('a batch does not have the buffers of its schema');
  }
  const codec = metadata.compression?.type;
  if (codec !== undefined && codec !== CompressionType.ZSTD) {
    throw new HuitongError('ARROW_INVALID', 'its batches are compressed by lz4; only zstd is read', {
      hint: 'Write the file with zstd, or without compression.',
    });
  }
  let end = 0;
  for (const { offset, length } of metadata.buffers) {
    if (length === 0) continue;
    if (length < 0 || offset < end || offset + length > bodyBytes) throw invalid('buffers of a batch overlap');
    end = offset + length;
  }
}

/**
 * Decodes one batch.
 * @param memory where given, the batch holds until the next is read into it
 * @throws HuitongError ARROW_INVALID
 */
export async function readBatch(
  readAt: ReadAt,
  index: PartIndex,
  batch: BatchIndex,
  memory?: BatchMemory,
): Promise<RecordBatch> {
  const body = await readExactly(readAt, batch.offset + batch.metadataBytes, batch.bodyBytes);
  memory?.reset();
  return invalidUnless('a record batch', () => decode(index.schema, batch, body, memory?.allocate));
}

function decode(schema: Schema, batch: BatchIndex, body: Uint8Array, allocate?: Allocate): RecordBatch {
  const { buffers, compression, nodes } = batch.metadata;
  const stored = buffers.map(({ offset, length }) => body.subarray(offset, offset + length));
  const decodedBytes =
    compression === null ? batch.bodyBytes : stored.reduce((sum, one) => sum + announcedBytes(one), 0);
  if (decodedBytes > limits.arrowBatchBytesMax) throw invalid('a batch is larger than is allowed');
  const cursor = new Cursor(nodes, stored, restorerOf(batch.metadata, allocate));
  const children = schema.fields.map((field) => load(field.type, cursor));
  if (children.some((child) => child.length !== batch.rows)) throw invalid('columns of a batch differ in length');
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.rows, 0, undefined, children));
}

/** All batches of a part, one at a time. */
export async function* readBatches(readAt: ReadAt, sizeBytes: number): AsyncGenerator<RecordBatch> {
  const index = await readPartIndex(readAt, sizeBytes);
  for (const batch of index.batches) yield await readBatch(readAt, index, batch);
}

/** For what is not compressed: the typed arrays over it need aligned memory. */
function copyBuffer(stored: Uint8Array, allocate: Allocate): Uint8Array {
  const copy = allocate(stored.byteLength);
  copy.set(stored);
  return copy;
}

export class Cursor {
  private readonly nodes: BatchMetadata['nodes'];
  private readonly stored: Uint8Array[];
  private readonly restore: (stored: Uint8Array) => Uint8Array;
  private node = 0;
  private buffer = 0;

  constructor(nodes: BatchMetadata['nodes'], stored: Uint8Array[], restore: (stored: Uint8Array) => Uint8Array) {
    this.nodes = nodes;
    this.stored = stored;
    this.restore = restore;
  }

  nextBuffer(): Uint8Array {
    return this.restore(this.stored[this.buffer++]!);
  }

  nextNode(): { length: number; nullCount: number } {
    const node = this.nodes[this.node++]!;
    if (node.length < 0 || node.length > 2 ** 31 - 1) throw invalid('a column has an impossible length');
    return node;
  }
}

export function load(type: DataType, cursor: Cursor): Data {
  const layout = layoutOf(type);
  const { length, nullCount } = cursor.nextNode();
  if (layout.kind === 'null') return new Data(type, 0, length, length);
  const bitmap = cursor.nextBuffer();
  const validity = nullCount === 0 ? undefined : atLeast(bitmap, bitmapBytes(length));
  const build = (offsets?: Int32Array | BigInt64Array, values?: ArrayBufferView, children?: Data[]): Data =>
    // -1: the nulls are counted from the bitmap, not believed.
    new Data(type, 0, length, validity === undefined ? 0 : -1, [offsets, values, validity] as BufferList, children);
  switch (layout.kind) {
    case 'bits':
      return build(undefined, atLeast(cursor.nextBuffer(), bitmapBytes(length)));
    case 'fixed':
      return build(
        undefined,
        typedValues(type, atLeast(cursor.nextBuffer(), length * layout.bytes), layout.bytes * length),
      );
    case 'variable': {
      const offsets = loadOffsets(cursor.nextBuffer(), length, layout.wide);
      return build(offsets, atLeast(cursor.nextBuffer(), Number(offsets[length])));
    }
    case 'list': {
      const offsets = loadOffsets(cursor.nextBuffer(), length, layout.wide);
      const child = load(childFields(type)[0]!.type, cursor);
      if (child.length < Number(offsets[length])) throw invalid('a list points behind its child');
      return build(offsets, undefined, [child]);
    }
    case 'fixedList': {
      const child = load(childFields(type)[0]!.type, cursor);
      if (child.length !== length * layout.size) throw invalid('a fixed-size list and its child disagree');
      return build(undefined, undefined, [child]);
    }
    case 'struct': {
      const children = childFields(type).map((field) => load(field.type, cursor));
      if (children.some((child) => child.length !== length)) throw invalid('a struct and its child disagree');
      return build(undefined, undefined, children);
    }
  }
}

/** In the order of apache-arrow's `BufferType`: offsets, values, validity. */
type BufferList = ConstructorParameters<typeof Data>[4];

function typedValues(type: DataType, bytes: Uint8Array, used: number): ArrayBufferView {
  const View: TypedArrayOf = type.ArrayType;
  return new View(bytes.buffer, bytes.byteOffset, used / View.BYTES_PER_ELEMENT);
}

interface TypedArrayOf {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
}

/** Offsets that start at or above zero and never fall. A column without rows may have none at all. */
function loadOffsets(bytes: Uint8Array, length: number, wide: boolean): Int32Array | BigInt64Array {
  if (length === 0) return wide ? new BigInt64Array(1) : new Int32Array(1);
  atLeast(bytes, (length + 1) * (wide ? 8 : 4));
  const offsets = wide
    ? new BigInt64Array(bytes.buffer, bytes.byteOffset, length + 1)
    : new Int32Array(bytes.buffer, bytes.byteOffset, length + 1);
  let previous: number | bigint = 0;
  for (const offset of offsets) {
    if (offset < previous) throw invalid('offsets of a column fall');
    previous = offset;
  }
  return offsets;
}

function atLeast(bytes: Uint8Array, wanted: number): Uint8Array {
  if (bytes.byteLength < wanted) throw invalid('a buffer is shorter than its column needs');
  return bytes;
}

export async function readExactly(readAt: ReadAt, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await readAt(offset, length);
  if (bytes.byteLength !== length) throw invalid('the file ends too early');
  return bytes;
}

export function invalid(message: string): HuitongError {
  return new HuitongError('ARROW_INVALID', message);
}
