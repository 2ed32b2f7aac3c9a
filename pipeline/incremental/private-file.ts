/**
 * A temporary file of rows, encrypted with a key that is never written: what a crashed worker leaves on its disk is
 * noise. AES-256 in counter mode, so that any range can be read by itself; the file is nobody's but this process's.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { ReadAt } from '../../columnar/read.ts';
import { readAll, writeAll } from '../../lib/file-bytes.ts';

const CIPHER = 'aes-256-ctr';
const BLOCK_BYTES = 16;

/** Plain data: it crosses threads. The key stays in memory. */
export interface PrivateFile {
  path: string;
  key: Uint8Array;
  sizeBytes: number;
}

export class PrivateFileWriter {
  private readonly path: string;
  private readonly handle: FileHandle;
  private readonly key = randomBytes(32);
  private readonly cipher = createCipheriv(CIPHER, this.key, counterAt(0));
  private sizeBytes = 0;

  static async create(path: string): Promise<PrivateFileWriter> {
    return new PrivateFileWriter(path, await open(path, 'wx', 0o600));
  }

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  async write(chunks: Uint8Array[]): Promise<void> {
    const sealed = chunks.map((chunk) => this.cipher.update(chunk));
    for (const chunk of sealed) this.sizeBytes += chunk.byteLength;
    await writeAll(this.handle, sealed);
  }

  async end(): Promise<PrivateFile> {
    await this.handle.close();
    return { path: this.path, key: new Uint8Array(this.key), sizeBytes: this.sizeBytes };
  }

  async abort(): Promise<void> {
    await this.handle.close();
  }
}

export async function openPrivateFile(file: PrivateFile): Promise<{ readAt: ReadAt; close(): Promise<void> }> {
  const handle = await open(file.path, 'r');
  return {
    close: () => handle.close(),
    readAt: async (offset, length) => {
      const lead = offset % BLOCK_BYTES;
      const sealed = new Uint8Array(lead + length);
      const bytesRead = await readAll(handle, sealed, offset - lead);
      const decipher = createDecipheriv(CIPHER, file.key, counterAt((offset - lead) / BLOCK_BYTES));
      return new Uint8Array(decipher.update(sealed.subarray(0, bytesRead))).subarray(lead);
    },
  };
}

/** A key is used for one file only, so the counter starts at zero in each. */
function counterAt(block: number): Uint8Array {
  const counter = new Uint8Array(BLOCK_BYTES);
  new DataView(counter.buffer).setBigUint64(8, BigInt(block));
  return counter;
}
