/** Files written and read whole: one call may take, or give, fewer bytes than it was asked to, as a full disk shows. */
import type { FileHandle } from 'node:fs/promises';

/** One after the other, at the end of what was written. Throws what the disk says, ENOSPC where it is full. */
export async function writeAll(handle: Pick<FileHandle, 'writev'>, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks.filter((chunk) => chunk.byteLength > 0);
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left);
    let whole = 0;
    while (whole < left.length && bytesWritten >= left[whole]!.byteLength) bytesWritten -= left[whole++]!.byteLength;
    left = left.slice(whole);
    if (bytesWritten > 0) left[0] = left[0]!.subarray(bytesWritten);
  }
}

/** Gives how many bytes there were: fewer than asked for only at the file's end. */
export async function readAll(handle: Pick<FileHandle, 'read'>, target: Uint8Array, position: number): Promise<number> {
  let read = 0;
  while (read < target.byteLength) {
    const { bytesRead } = await handle.read(target, read, target.byteLength - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
}
