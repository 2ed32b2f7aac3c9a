/**
 * Takes the server's messages off the socket into one buffer that is used again, and sorts them: CopyData goes to the
 * decoder in place, every other message goes to `pg`, whole. So `pg` keeps login, TLS, queries and errors, and never
 * sees the rows. (PostgreSQL documentation, "Message Formats": type byte, then a length that counts itself.)
 * Why this seam: docs/decisions/0020-copy-off-the-socket.md.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ByteSource } from '../../columnar/builders/index.ts';

const BUFFER_BYTES_FIRST = 1024 * 1024;
/** Builders copy short strings by whole words: this much may be read behind the last byte. */
const SLACK_BYTES = 8;
/** A read smaller than this waits a moment, so that the kernel gathers the next one. */
const GATHER_BYTES = 256 * 1024;
const GATHER_MS = 1;
const COPY_DATA = 0x64;
const HEADER_BYTES = 5;

/** Decodes CopyData messages where they lie. */
export interface CopyConsumer {
  /** No more messages are wanted until the consumer's owner says so. */
  readonly full: boolean;
  /** One message whose payload is `source.bytes[at, end)`; false: not taken, offer it again later. */
  take(source: ByteSource, at: number, end: number): boolean;
  /** What is there of a message that is not complete; throws where it will be too large. */
  inspect(source: ByteSource, at: number, available: number, payloadBytes: number): void;
}

export class Wire implements ByteSource {
  bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES_FIRST + SLACK_BYTES);
  view = viewOf(this.bytes);
  private start = 0;
  private end = 0;
  private consumer: CopyConsumer | undefined;
  private toDriver: (message: Buffer) => void = () => {};
  private stream: Duplex | undefined;
  private readonly onFull: () => void;
  private readonly onFailure: (cause: unknown) => void;

  /** `onFull`: the consumer is full, reading stopped. `onFailure`: the consumer threw. */
  constructor(onFull: () => void, onFailure: (cause: unknown) => void) {
    this.onFull = onFull;
    this.onFailure = onFailure;
  }

  /** For `net.Socket`'s option `onread`: the kernel writes straight into our buffer. */
  onread(socket: () => Socket): { buffer: () => Uint8Array; callback: (read: number) => boolean } {
    return {
      buffer: () => this.space(1),
      callback: (read) => {
        this.end += read;
        if (!this.dispatch()) return false;
        if (this.consumer === undefined || read >= GATHER_BYTES) return true;
        setTimeout(() => socket().resume(), GATHER_MS);
        return false;
      },
    };
  }

  /** Messages from `stream` that are not rows are handed to its own listeners for `data`. */
  attachSocket(socket: Socket): void {
    this.stream = socket;
    this.toDriver = (message) => socket.emit('data', message);
  }

  /** TLS has no `onread` on a socket that exists already: its chunks are copied, and the driver's listeners kept. */
  attachTls(stream: Duplex): void {
    this.stream = stream;
    const listeners = stream.listeners('data');
    stream.removeAllListeners('data');
    this.toDriver = (message) => {
      for (const listener of listeners) listener(message);
    };
    stream.on('data', (chunk: Buffer) => {
      this.space(chunk.length).set(chunk);
      this.end += chunk.length;
      if (!this.dispatch()) stream.pause();
    });
  }

  /** From now on CopyData goes to `consumer`. */
  startCopy(consumer: CopyConsumer): void {
    this.consumer = consumer;
  }

  endCopy(): void {
    this.consumer = undefined;
  }

  /** The consumer has room again. */
  resume(): void {
    if (this.dispatch()) this.stream?.resume();
  }

  /** Sorts what has arrived; false where reading must stop. */
  private dispatch(): boolean {
    while (this.end - this.start >= HEADER_BYTES) {
      const { start, consumer } = this;
      const next = start + 1 + this.view.getInt32(start + 1);
      const isCopy = consumer !== undefined && this.bytes[start] === COPY_DATA;
      if (isCopy && consumer.full) return this.stop();
      try {
        if (next > this.end) {
          const at = start + HEADER_BYTES;
          if (isCopy) consumer.inspect(this, at, this.end - at, next - at);
          return true;
        }
        if (isCopy && !consumer.take(this, start + HEADER_BYTES, next)) return this.stop();
      } catch (cause) {
        this.onFailure(cause);
        return false;
      }
      this.start = next;
      if (!isCopy) this.toDriver(this.bytes.subarray(start, next));
    }
    return true;
  }

  private stop(): false {
    this.onFull();
    return false;
  }

  /** Room for at least `needed` bytes behind what has arrived; what was used is given up first. */
  private space(needed: number): Buffer {
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    }
    const room = this.bytes.length - SLACK_BYTES;
    if (this.end + needed > room) {
      const larger = Buffer.allocUnsafeSlow(Math.max(room * 2, this.end + needed) + SLACK_BYTES);
      this.bytes.copy(larger, 0, 0, this.end);
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    return this.bytes.subarray(this.end, this.bytes.length - SLACK_BYTES);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
