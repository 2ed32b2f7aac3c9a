/** Pieces of a file whose records are lines. */
import type { Piece } from './format.ts';
import type { OpenFile, PinnedFile } from './location.ts';

/** A piece of fewer bytes costs more than it saves. */
const PIECE_BYTES_MIN = 8 * 1024 * 1024;
const LOOK_BYTES = 64 * 1024;
const LF = 0x0a;

/** Bounds are moved behind the next line feed, so that every piece begins with a line. */
export async function divideLines(file: OpenFile, pinned: PinnedFile, wanted: number): Promise<Piece[]> {
  const { sizeBytes } = pinned;
  const count = Math.min(wanted, Math.floor(sizeBytes / PIECE_BYTES_MIN));
  if (count <= 1) return [{ file: pinned }];
  const bounds = [0];
  for (let i = 1; i < count; i++) {
    const bound = await lineStart(file, Math.floor((sizeBytes * i) / count), sizeBytes);
    if (bound > bounds.at(-1)!) bounds.push(bound);
  }
  if (bounds.at(-1)! < sizeBytes) bounds.push(sizeBytes);
  return bounds.slice(1).map((end, i) => ({ file: pinned, bytes: { start: bounds[i]!, end } }));
}

/** Where the first line begins that begins at `from` or later. */
async function lineStart(file: OpenFile, from: number, sizeBytes: number): Promise<number> {
  for (let at = from - 1; at < sizeBytes; at += LOOK_BYTES) {
    const bytes = await file.readAt(at, Math.min(LOOK_BYTES, sizeBytes - at));
    const found = bytes.indexOf(LF);
    if (found >= 0) return at + found + 1;
  }
  return sizeBytes;
}
