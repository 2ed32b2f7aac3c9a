/**
 * Framing of the Arrow IPC format ("Encapsulated message format", "IPC File Format"). The metadata inside is
 * apache-arrow's; its flatbuffers classes are exported per file.
 */
import { MetadataVersion, Schema } from 'apache-arrow';
import { CompressionType } from 'apache-arrow/fb/compression-type';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import {
  RecordBatch as BatchMetadata,
  BodyCompression,
  BufferRegion,
  FieldNode,
  Message,
} from 'apache-arrow/ipc/metadata/message';
import { HuitongError } from '../lib/errors.ts';

export { BatchMetadata, BufferRegion, CompressionType, FieldNode, FileBlock };

/** What the specification recommends, so that a reader can map buffers for vector instructions. */
const ALIGNMENT_BYTES = 64;
export const MAGIC = new TextEncoder().encode('ARROW1');
const FILE_START = new TextEncoder().encode('ARROW1\0\0');
export const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);
/** Continuation marker and metadata length. */
export const MESSAGE_PREFIX_BYTES = 8;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/** Prefix, metadata, and padding such that what follows starts at a multiple of 64 within the message. */
function encapsulate(metadata: Uint8Array): Uint8Array {
  const framed = new Uint8Array(aligned(metadata.byteLength + MESSAGE_PREFIX_BYTES));
  const view = new DataView(framed.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, framed.byteLength - MESSAGE_PREFIX_BYTES, true);
  framed.set(metadata, MESSAGE_PREFIX_BYTES);
  return framed;
}

export function schemaMessage(schema: Schema): Uint8Array {
  return encapsulate(Message.encode(Message.from(schema)));
}

/** The schema of a message as `schemaMessage` makes it. @throws HuitongError ARROW_INVALID */
export function readSchemaMessage(framed: Uint8Array): Schema {
  const header = invalidUnless('the schema message', () => Message.decode(framed.slice(MESSAGE_PREFIX_BYTES)).header());
  if (header instanceof Schema) return header;
  throw new HuitongError('ARROW_INVALID', 'the message does not hold a schema');
}

export function batchMessage(
  rows: number,
  nodes: FieldNode[],
  regions: BufferRegion[],
  bodyBytes: number,
  compression: CompressionType | undefined,
): Uint8Array {
  const codec = compression === undefined ? null : new BodyCompression(compression);
  return encapsulate(Message.encode(Message.from(new BatchMetadata(rows, nodes, regions, codec), bodyBytes)));
}

export function fileStart(schema: Schema): Uint8Array {
  const message = schemaMessage(schema);
  const start = new Uint8Array(FILE_START.byteLength + message.byteLength);
  start.set(FILE_START);
  start.set(message, FILE_START.byteLength);
  return start;
}

/** End of stream, footer, its length, magic. */
export function fileEnd(schema: Schema, blocks: FileBlock[]): Uint8Array {
  const footer = Footer.encode(new Footer(schema, MetadataVersion.V5, blocks, []));
  const end = new Uint8Array(END_OF_STREAM.byteLength + footer.byteLength + 4 + MAGIC.byteLength);
  end.set(END_OF_STREAM);
  end.set(footer, END_OF_STREAM.byteLength);
  const afterFooter = END_OF_STREAM.byteLength + footer.byteLength;
  new DataView(end.buffer).setInt32(afterFooter, footer.byteLength, true);
  end.set(MAGIC, afterFooter + 4);
  return end;
}

/** @throws HuitongError ARROW_INVALID */
export function readFooter(bytes: Uint8Array): { schema: Schema; blocks: FileBlock[] } {
  return invalidUnless('the footer', () => {
    const footer = Footer.decode(bytes.slice());
    if (footer.numDictionaries > 0) throw new HuitongError('ARROW_INVALID', 'dictionaries are not used in parts');
    return { schema: footer.schema, blocks: [...footer.recordBatches()] };
  });
}

/** Reads the metadata of one record batch message, prefix included. @throws HuitongError ARROW_INVALID */
export function readBatchMessage(framed: Uint8Array): { metadata: BatchMetadata; bodyBytes: number } {
  return invalidUnless('a record batch message', () => {
    const message = Message.decode(framed.slice(MESSAGE_PREFIX_BYTES));
    const metadata = message.header();
    if (!(metadata instanceof BatchMetadata)) {
      throw new HuitongError('ARROW_INVALID', 'a block of the footer is not a record batch');
    }
    return { metadata, bodyBytes: message.bodyLength };
  });
}

/** apache-arrow checks nothing that it reads: a damaged file shows as any error at all. It becomes ARROW_INVALID. */
export function invalidUnless<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof HuitongError) throw cause;
    throw new HuitongError('ARROW_INVALID', `${what} cannot be read`, { cause });
  }
}
