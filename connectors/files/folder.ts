/** A folder of the worker's machine. Nothing outside of it is read, whatever links it holds. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import {
  assertInside,
  type ByteRange,
  changed,
  type Location,
  type OpenFile,
  type PinnedFile,
  stopIfCancelled,
  tooManyFiles,
} from './location.ts';

const CHUNK_BYTES = 512 * 1024;

/** Throws SOURCE_UNREACHABLE where there is no such folder, SOURCE_FORBIDDEN where it may not be read. */
export async function openFolder(path: string, signal: AbortSignal): Promise<Location> {
  const root = await realpath(path).catch((cause: unknown) => {
    throw folderError(cause, path);
  });
  return new Folder(path, root, signal);
}

class Folder implements Location {
  readonly title: string;
  private readonly root: string;
  private readonly signal: AbortSignal;

  constructor(title: string, root: string, signal: AbortSignal) {
    this.title = title;
    this.root = root;
    this.signal = signal;
  }

  async list(): Promise<PinnedFile[]> {
    const found: PinnedFile[] = [];
    await this.walk('', found);
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Hidden files, links and whatever is no file are passed over; a link that a definition names is told by `open`. */
  private async walk(below: string, found: PinnedFile[]): Promise<void> {
    const folder = await opendir(join(this.root, below)).catch((cause: unknown) => {
      throw folderError(cause, below || this.title);
    });
    for await (const entry of folder) {
      stopIfCancelled(this.signal);
      if (entry.name.startsWith('.')) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await this.walk(path, found);
      if (!entry.isFile()) continue;
      const stats = await stat(join(this.root, path)).catch(() => undefined);
      if (stats?.isFile() !== true) continue;
      if (found.push({ path, sizeBytes: stats.size, identity: identityOf(stats) }) > limits.sourceFilesMax) {
        throw tooManyFiles(this.title);
      }
    }
  }

  async open(file: PinnedFile): Promise<OpenFile> {
    assertInside(file.path);
    const path = join(this.root, file.path);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) throw changed(file.path);
    if (real !== this.root && !real.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) {
      throw new HuitongError('PATH_OUTSIDE', 'the path leads out of the source’s folder', { at: file.path });
    }
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
      throw folderError(cause, file.path);
    });
    const opened = new LocalFile(file, path, handle, this.signal);
    try {
      await opened.assertUnchanged();
      return opened;
    } catch (e: unknown) {
      await handle.close();
      throw e;
    }
  }

  async close(): Promise<void> {}
}

class LocalFile implements OpenFile {
  private readonly file: PinnedFile;
  private readonly path: string;
  private readonly handle: FileHandle;
  private readonly signal: AbortSignal;

  constructor(file: PinnedFile, path: string, handle: FileHandle, signal: AbortSignal) {
    this.file = file;
    this.path = path;
    this.handle = handle;
    this.signal = signal;
  }

  /** A chunk is valid until the next one is asked for. */
  async *chunks(range: ByteRange = { start: 0, end: this.file.sizeBytes }): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.max(1, Math.min(CHUNK_BYTES, range.end - range.start)));
    for (let at = range.start; at < range.end; ) {
      stopIfCancelled(this.signal);
      const length = Math.min(buffer.length, range.end - at);
      const { bytesRead } = await this.handle.read(buffer, 0, length, at);
      if (bytesRead === 0) throw changed(this.file.path);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  readAt = async (offset: number, length: number): Promise<Uint8Array> => {
    stopIfCancelled(this.signal);
    const bytes = new Uint8Array(length);
    let read = 0;
    while (read < length) {
      const { bytesRead } = await this.handle.read(bytes, read, length - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return bytes.subarray(0, read);
  };

  /** By what was opened, and by what the name leads to now: it may have been replaced. */
  async assertUnchanged(): Promise<void> {
    const [opened, named] = await Promise.all([this.handle.stat(), stat(this.path).catch(() => undefined)]);
    const same = [opened, named].every((stats) => stats !== undefined && identityOf(stats) === this.file.identity);
    if (!same) throw changed(this.file.path);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The time of change of the inode, which no program can set back, besides what everybody looks at. */
function identityOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

function folderError(cause: unknown, at: string): HuitongError {
  if (isHuitongError(cause)) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new HuitongError('SOURCE_FORBIDDEN', 'the worker may not read this folder or file', { at, cause });
  }
  if (code === 'ELOOP') return new HuitongError('PATH_OUTSIDE', 'the path is a link', { at, cause });
  return new HuitongError('SOURCE_UNREACHABLE', `the folder cannot be read${code && ` (${code})`}`, { at, cause });
}
