/** An Arrow IPC stream as it arrives, batch by batch; each message goes through the same checks as a stored one. */
import type { RecordBatch, Schema } from 'apache-arrow';
import { END_OF_STREAM, MESSAGE_PREFIX_BYTES, readBatchMessage, readSchemaMessage } from '../../columnar/message.ts';
import { readAtOf, readBatch, readStreamIndex } from '../../columnar/read.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

/** Enough for the schema of any dataset: 1,600 columns with names of 256 characters. */
export const SCHEMA_BYTES = 2 * 1024 * 1024;

/** The schema at the beginning of a stream of which only the beginning may be there. */
export async function streamSchema(chunks: AsyncIterable<Uint8Array>): Promise<Schema> {
  const message = await nextMetadata(new ByteQueue(chunks));
  if (message === undefined) throw invalid('it has no schema');
  return readSchemaMessage(message);
}

/** Every batch. A stream that ends without its end-of-stream mark was cut off: ARROW_INVALID. */
export async function* streamBatches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RecordBatch> {
  const queue = new ByteQueue(chunks);
  const schema = await nextMetadata(queue);
  if (schema === undefined) throw invalid('it has no schema');
  for (;;) {
    const metadata = await nextMetadata(queue);
    if (metadata === undefined) return;
    const body = await queue.take(bodyBytesOf(metadata));
    // A stream of one batch.
    const bytes = Buffer.concat([schema, metadata, body, END_OF_STREAM]);
    const readAt = readAtOf(bytes);
    const index = await readStreamIndex(readAt, bytes.byteLength);
    for (const batch of index.batches) yield await readBatch(readAt, index, batch);
  }
}

/** A message's metadata with its prefix; undefined at the end of the stream. */
async function nextMetadata(queue: ByteQueue): Promise<Buffer | undefined> {
  const prefix = await queue.take(MESSAGE_PREFIX_BYTES);
  const length = prefix.readInt32LE(4);
  if (prefix.readInt32LE(0) !== -1) throw invalid('a message does not begin as one of the stream format does');
  if (length === 0) return undefined;
  if (length < 0 || length > limits.arrowMetadataBytesMax) throw invalid('a message has an impossible length');
  return Buffer.concat([prefix, await queue.take(length)]);
}

function bodyBytesOf(metadata: Buffer): number {
  const { bodyBytes } = readBatchMessage(metadata);
  if (bodyBytes < 0 || bodyBytes > limits.arrowBatchBytesMax) throw invalid('a batch has an impossible length');
  return bodyBytes;
}

class ByteQueue {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private held: Uint8Array[] = [];
  private heldBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes. Throws ARROW_INVALID where the stream ends before. */
  async take(bytes: number): Promise<Buffer> {
    while (this.heldBytes < bytes) {
      const next = await this.chunks.next();
      if (next.done) throw invalid('it was cut off');
      this.held.push(next.value);
      this.heldBytes += next.value.byteLength;
    }
    const all = Buffer.concat(this.held, this.heldBytes);
    this.held = [all.subarray(bytes)];
    this.heldBytes -= bytes;
    return all.subarray(0, bytes);
  }
}

function invalid(what: string): HuitongError {
  return new HuitongError('ARROW_INVALID', `the stream of the far exchange: ${what}`);
}
