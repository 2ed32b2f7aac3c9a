/**
 * A file in chunks that are lent: each holds until the next is asked for, and is as long as its buffer but for the last. So a reader holds one buffer, however slow it
 * is, and buffers go from reader to reader instead of being left to the garbage collector, which lets 64 MB of them
 * gather before it looks.
 */
import type { FileHandle } from 'node:fs/promises';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ByteRange } from './store.ts';

/** Buffers of one length: as many as are lent, and a few that wait to be. */
class Buffers {
  readonly #length: number;
  readonly #most: number;
  readonly #free: Buffer[] = [];
  #lent = 0;

  constructor(length: number, most: number) {
    this.#length = length;
    this.#most = most;
  }

  get lentBytes(): number {
    return this.#lent * this.#length;
  }

  /** Undefined where all are lent. */
  take(): Buffer | undefined {
    if (this.#lent === this.#most) return undefined;
    this.#lent++;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#length);
  }

  /** `reusable`: nobody looks at its bytes any more. */
  end(buffer: Buffer, reusable: boolean): void {
    this.#lent--;
    if (reusable && this.#free.length < limits.readBuffersFreeMax) this.#free.push(buffer);
  }
}

/** The first readers get large ones, which cost less for each byte; how many there can be is bounded. */
const large = new Buffers(limits.readBufferBytes, limits.readBuffersLargeMax);
const small = new Buffers(limits.readBufferSmallBytes, Number.MAX_SAFE_INTEGER);

/** Bytes of buffers that readers hold now, in this process. */
export function lentBytes(): number {
  return large.lentBytes + small.lentBytes;
}

/** @throws OBJECT_CORRUPT where the file ends before the range does */
export async function* lendFile(handle: FileHandle, range: ByteRange): AsyncGenerator<Uint8Array> {
  const wanted = range.length <= limits.readBufferSmallBytes ? undefined : large.take();
  const buffers = wanted === undefined ? small : large;
  const buffer = wanted ?? (small.take() as Buffer);
  let position = range.offset;
  const end = range.offset + range.length;
  let reusable = false;
  try {
    while (position < end) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, end - position));
      await fill(handle, chunk, position);
      position += chunk.length;
      yield chunk;
    }
    reusable = true;
  } finally {
    // Left in the middle, somebody (a socket that was cut) may still look at it: the collector takes it.
    buffers.end(buffer, reusable);
  }
}

/** A read may give fewer bytes than were asked for. */
async function fill(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < chunk.length; ) {
    const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled, position + filled);
    if (bytesRead === 0) throw new HuitongError('OBJECT_CORRUPT', 'the stored file became shorter while it was read');
    filled += bytesRead;
  }
}
