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
/** Short strings are copied by whole words, and a null's cell is read before it is known: so far behind the last byte. */
const SLACK_BYTES = 8;
/** A read smaller than this waits a moment, so that the kernel gathers the next one. */
const GATHER_BYTES = 256 * 1024;
const GATHER_MS = 1;
/** CopyData's type byte. */
export const COPY_DATA = 0x64;
/** Of every message: type and length. */
export const HEADER_BYTES = 5;

/** Decodes CopyData messages where they lie. */
export interface CopyConsumer {
  /** No more messages are wanted until the consumer's owner says so. */
  readonly full: boolean;
  /**
   * Complete CopyData messages that lie one after another from `at` on, at most to `end`; something else may follow.
   * Gives back where the first message begins that was not taken.
   */
  take(source: ByteSource, at: number, end: number): number;
  /** What is there of the payload of a message that is not complete; throws where it will be too large. */
  inspect(view: DataView, at: number, available: number, payloadBytes: number): void;
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
      const { consumer } = this;
      const isCopy = consumer !== undefined && this.bytes[this.start] === COPY_DATA;
      if (isCopy && consumer.full) return this.stop();
      const next = this.start + 1 + this.view.getInt32(this.start + 1);
      try {
        if (next > this.end) {
          const at = this.start + HEADER_BYTES;
          if (isCopy) consumer.inspect(this.view, at, this.end - at, next - at);
          return true;
        }
        if (isCopy) {
          this.start = consumer.take(this, this.start, this.end);
          continue;
        }
      } catch (cause) {
        this.onFailure(cause);
        return false;
      }
      const message = this.bytes.subarray(this.start, next);
      this.start = next;
      this.toDriver(message);
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
