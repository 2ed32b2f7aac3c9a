/** From a file's encoding to UTF-8. What is no character of it becomes U+FFFD, which the cells' loops find and report. */
import { HuitongError } from '../../lib/errors.ts';
import type { Encoding } from './config.ts';

const marks: [encoding: Encoding, bytes: number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
  ['gb18030', [0x84, 0x31, 0x95, 0x33]],
];
const MARK_BYTES_MAX = 4;

/** What the first bytes of a file say. */
export interface Beginning {
  encoding: Encoding;
  markBytes: number;
}

/**
 * The byte order mark decides, or else the definition, or else UTF-8; nothing is guessed from the text.
 * @throws HuitongError FILE_INVALID where mark and definition disagree
 */
export function beginningOf(first: Uint8Array, stated: Encoding | undefined, at: string): Beginning {
  const mark = marks.find(([, bytes]) => bytes.every((byte, i) => first[i] === byte));
  if (mark === undefined) return { encoding: stated ?? 'utf-8', markBytes: 0 };
  const [encoding, bytes] = mark;
  if (stated !== undefined && stated !== encoding && !(stated === 'gbk' && encoding === 'gb18030')) {
    // The mark of gb18030 is no text anybody writes; those of UTF-16 are characters of GBK, but not at a beginning.
    throw new HuitongError('FILE_INVALID', `the definition says ${stated}, the file’s first bytes ${encoding}`, { at });
  }
  return { encoding, markBytes: bytes.length };
}

/** A file's bytes, of which the first can be looked at before the rest is read. */
export class ChunkQueue {
  /** What has been read and not been given on. */
  head: Uint8Array = new Uint8Array(0);
  private readonly chunks: AsyncIterator<Uint8Array>;
  private done = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads one more chunk into `head`; false at the end of the file. */
  async more(): Promise<boolean> {
    const next = await this.chunks.next();
    this.done = next.done === true;
    // Copied: a chunk is valid until the next one is asked for.
    if (next.done !== true) this.head = Buffer.concat([this.head, next.value]);
    return next.done !== true;
  }

  /** How the file begins; `stated` as `beginningOf` has it. The mark is taken off. */
  async takeBeginning(stated: Encoding | undefined, at: string): Promise<Encoding> {
    while (this.head.length < MARK_BYTES_MAX && (await this.more()));
    const { encoding, markBytes } = beginningOf(this.head, stated, at);
    this.head = this.head.subarray(markBytes);
    return encoding;
  }

  /** Everything from byte `from` of `head` on. */
  async *rest(from = 0): AsyncGenerator<Uint8Array> {
    try {
      if (this.head.length > from) yield this.head.subarray(from);
      while (!this.done) {
        const next = await this.chunks.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await this.chunks.return?.();
    }
  }
}

/** Characters that lie across two chunks are kept whole. The mark must be gone. */
export async function* transcoded(chunks: AsyncIterable<Uint8Array>, encoding: Encoding): AsyncGenerator<Uint8Array> {
  // Their own loops check UTF-8.
  if (encoding === 'utf-8') return yield* chunks;
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (text.length > 0) yield Buffer.from(text);
  }
  const text = decoder.decode();
  if (text.length > 0) yield Buffer.from(text);
}

/** Whether a byte below 0x30 is always that character, so that lines can be found without decoding. */
export function hasPlainLines(encoding: Encoding): boolean {
  return !encoding.startsWith('utf-16');
}
