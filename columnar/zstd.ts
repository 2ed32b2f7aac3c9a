/**
 * Compression of Arrow buffers as the IPC format says (Message.fbs, BodyCompression with method BUFFER): each buffer
 * is an int64 little-endian uncompressed length and one zstd frame, or -1 and the bytes as they are.
 *
 * We call zstd's single-pass functions on buffers of our own: the wrapper classes allocate a destination a call.
 */
import zstd from 'zstd-napi/binding.js';
import { HuitongError } from '../lib/errors.ts';

/** Level 1 keeps up with the network of a source; higher levels cost more than they save (PERFORMANCE.md). */
const ZSTD_LEVEL = 1;
const PREFIX_BYTES = 8;
/** Below this a frame is rarely smaller than the bytes, and its header costs more than it saves. */
const WORTH_COMPRESSING_BYTES = 64;

/** Upper bound of what `compressBuffer` writes for an input of `length` bytes. */
export function compressedBoundBytes(length: number): number {
  return PREFIX_BYTES + Math.max(length, zstd.compressBound(length));
}

export function newCompressionContext(): zstd.CCtx {
  const context = new zstd.CCtx();
  context.setParameter(zstd.CParameter.compressionLevel, ZSTD_LEVEL);
  return context;
}

/** Writes prefix and bytes to `target` at `offset` and returns how many; there must be room for the bound. */
export function compressBuffer(context: zstd.CCtx, source: Uint8Array, target: Uint8Array, offset: number): number {
  const view = new DataView(target.buffer, target.byteOffset + offset, PREFIX_BYTES);
  const start = offset + PREFIX_BYTES;
  if (source.byteLength >= WORTH_COMPRESSING_BYTES) {
    const written = context.compress2(target.subarray(start), source);
    if (written < source.byteLength) {
      view.setBigInt64(0, BigInt(source.byteLength), true);
      return PREFIX_BYTES + written;
    }
  }
  view.setBigInt64(0, -1n, true);
  target.set(source, start);
  return PREFIX_BYTES + source.byteLength;
}

/** The length that the prefix announces; not yet to be believed. */
export function announcedBytes(stored: Uint8Array): number {
  if (stored.byteLength === 0) return 0;
  if (stored.byteLength < PREFIX_BYTES) throw new HuitongError('ARROW_INVALID', 'a compressed buffer lacks its prefix');
  const announced = Number(new DataView(stored.buffer, stored.byteOffset, PREFIX_BYTES).getBigInt64(0, true));
  return announced === -1 ? stored.byteLength - PREFIX_BYTES : announced;
}

/** Restores one buffer into memory that `allocate` gives, which must be aligned for typed arrays. */
export function decompressBuffer(
  context: zstd.DCtx,
  stored: Uint8Array,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array {
  const length = announcedBytes(stored);
  if (length < 0) throw new HuitongError('ARROW_INVALID', 'a compressed buffer announces a negative length');
  const restored = allocate(length);
  if (length === 0) return restored;
  const raw = new DataView(stored.buffer, stored.byteOffset, PREFIX_BYTES).getBigInt64(0, true) === -1n;
  if (raw) {
    restored.set(stored.subarray(PREFIX_BYTES));
    return restored;
  }
  let written: number;
  try {
    written = context.decompress(restored, stored.subarray(PREFIX_BYTES));
  } catch (cause) {
    throw new HuitongError('ARROW_INVALID', 'a buffer is not a zstd frame of the length it announces', { cause });
  }
  if (written !== length) throw new HuitongError('ARROW_INVALID', 'a buffer is shorter than it announces');
  return restored;
}

export function newDecompressionContext(): zstd.DCtx {
  return new zstd.DCtx();
}
