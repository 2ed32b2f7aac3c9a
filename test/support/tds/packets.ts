/** Messages in packets ([MS-TDS] 2.2.3): a header of eight bytes, and a flag on a message's last packet. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

export const packetTypes = { batch: 1, rpc: 3, reply: 4, attention: 6, transaction: 14, login: 16, prelogin: 18 };

const HEADER_BYTES = 8;
const END_OF_MESSAGE = 0x01;
const FLUSH_BYTES = 64 * 1024;

export interface Packet {
  type: number;
  isLast: boolean;
  body: Buffer;
}

export class PacketReader {
  private rest: Buffer = Buffer.alloc(0);

  /** The packets that `chunk` completes. */
  *take(chunk: Buffer): Generator<Packet> {
    this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    while (this.rest.length >= HEADER_BYTES) {
      const length = this.rest.readUInt16BE(2);
      if (this.rest.length < length) return;
      const [type = 0, status = 0] = this.rest;
      const body = this.rest.subarray(HEADER_BYTES, length);
      this.rest = this.rest.subarray(length);
      yield { type, isLast: (status & END_OF_MESSAGE) !== 0, body };
    }
  }
}

export function packet(type: number, body: Uint8Array, isLast: boolean): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = type;
  header[1] = isLast ? END_OF_MESSAGE : 0;
  header.writeUInt16BE(body.length + HEADER_BYTES, 2);
  header.writeUInt16BE(51, 4);
  return Buffer.concat([header, body]);
}

/** Writes one reply, in packets whose bodies have the sizes that `bodyBytes` tells, and waits for a slow reader. */
export class ReplyWriter {
  private readonly stream: Duplex;
  private readonly bodyBytes: () => number;
  private readonly signal: AbortSignal;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;

  constructor(stream: Duplex, bodyBytes: () => number, signal: AbortSignal) {
    this.stream = stream;
    this.bodyBytes = bodyBytes;
    this.signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.waitingBytes > FLUSH_BYTES) await this.flush();
  }

  /** Sends what there is. A message's last packet is not among it: that is `end`'s. */
  flush(): Promise<void> {
    return this.send(false);
  }

  end(): Promise<void> {
    return this.send(true);
  }

  private async send(isLast: boolean): Promise<void> {
    const bytes = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    const packets: Buffer[] = [];
    let at = 0;
    while (at < bytes.length || (isLast && at === 0 && packets.length === 0)) {
      const end = Math.min(bytes.length, at + this.bodyBytes());
      packets.push(packet(packetTypes.reply, bytes.subarray(at, end), isLast && end === bytes.length));
      at = end;
    }
    if (this.stream.destroyed || packets.length === 0) return;
    if (!this.stream.write(Buffer.concat(packets))) {
      await once(this.stream, 'drain', { signal: this.signal }).catch(() => {});
    }
  }
}
