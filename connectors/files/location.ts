/** Where a source's files are: a folder, or a bucket of S3. */
import type { ReadAt } from '../../columnar/read.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

/** One state of one file. Plain data: it is kept in a plan. */
export interface PinnedFile {
  /** Below the place, with `/` between folders. */
  path: string;
  sizeBytes: number;
  /** Differs whenever the contents may. */
  identity: string;
}

export interface ByteRange {
  start: number;
  end: number;
}

export interface OpenFile {
  chunks(range?: ByteRange): AsyncIterable<Uint8Array>;
  readAt: ReadAt;
  /** Throws SNAPSHOT_LOST where the file is no longer the one that was pinned. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export interface Location {
  /** For messages, without secrets. */
  readonly title: string;
  /** Every file, by path. Throws SOURCE_UNREACHABLE, SOURCE_AUTH, SOURCE_FORBIDDEN, OBJECT_TOO_LARGE. */
  list(): Promise<PinnedFile[]>;
  /** Throws SNAPSHOT_LOST where it is not the same file any more, PATH_OUTSIDE. */
  open(file: PinnedFile): Promise<OpenFile>;
  close(): Promise<void>;
}

export function changed(path: string): HuitongError {
  return new HuitongError('SNAPSHOT_LOST', 'the file was changed, replaced or removed since the run began', {
    at: path,
    hint: 'Let whoever writes it finish (write under another name, then rename), and publish again.',
  });
}

export function tooManyFiles(at: string): HuitongError {
  return new HuitongError('OBJECT_TOO_LARGE', `there are more than ${limits.sourceFilesMax} files`, {
    at,
    hint: 'Name a folder further down.',
  });
}

/** A pattern of a definition: `*` within a folder, `**` through folders, `?` one character. */
export function patternOf(files: string): RegExp {
  const source = files
    .split('/')
    .map((part) =>
      part === '**'
        ? '**'
        : part
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replace(/\*+/g, '[^/]*')
            .replaceAll('?', '[^/]'),
    )
    .join('/')
    .replaceAll('**/', '(?:.*/)?')
    .replace(/\*\*$/, '.*');
  return new RegExp(`^${source}$`, 'u');
}

/** Throws PATH_OUTSIDE for a path or pattern that leads out of the place. */
export function assertInside(files: string): void {
  const parts = files.split('/');
  if (!files.startsWith('/') && !files.includes('\\') && !files.includes('\0') && !parts.includes('..')) return;
  throw new HuitongError('PATH_OUTSIDE', 'the path leads out of the source’s folder', { at: files });
}

/** Throws CANCELLED; a signal's own reason says nothing to a caller. */
export function stopIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled');
}
