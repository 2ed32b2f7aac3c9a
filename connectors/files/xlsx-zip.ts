/** The zip file that an XLSX file is (yauzl), and its XML members (saxes), guarded: small files can become very large. */
import { Readable } from 'node:stream';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { OpenFile, PinnedFile } from './location.ts';

const MEMBERS_MAX = 10_000;
/** Below this a member may be as compressed as it likes. */
const SMALL_BYTES = 1024 * 1024;

/** What the parser tells; names are without their prefix. */
export interface XmlHandler {
  open(name: string, attributes: Record<string, string>): void;
  text(text: string): void;
  close(name: string): void;
}

export class XlsxZip {
  private readonly zip: ZipFile;
  private readonly entries: Map<string, Entry>;
  private readonly at: string;

  /** Use `openZip`. */
  constructor(zip: ZipFile, entries: Map<string, Entry>, at: string) {
    this.zip = zip;
    this.entries = entries;
    this.at = at;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /**
   * Parses a member in pieces of `stepCharacters`, and yields after each. A document type is refused, and with it every
   * entity that is not XML's own. Throws FILE_INVALID, DECOMPRESSION_LIMIT.
   */
  async *parse(name: string, handler: XmlHandler, stepCharacters = 64 * 1024): AsyncGenerator<void> {
    const parser = newParser(handler, (message, cause) => this.invalid(`${name} ${message}`, cause));
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      for await (const chunk of await this.open(name)) {
        const text = decoder.decode(chunk as Uint8Array, { stream: true });
        for (let at = 0; at < text.length; at += stepCharacters) {
          parser.write(text.slice(at, at + stepCharacters));
          yield;
        }
      }
      parser.write(decoder.decode()).close();
      yield;
    } catch (cause: unknown) {
      throw isHuitongError(cause) ? cause : this.invalid(`${name} cannot be read`, cause);
    }
  }

  async parseWhole(name: string, handler: XmlHandler): Promise<void> {
    for await (const _ of this.parse(name, handler));
  }

  close(): void {
    this.zip.close();
  }

  invalid(message: string, cause?: unknown): HuitongError {
    return new HuitongError('FILE_INVALID', `the workbook’s ${message}`, { at: this.at, cause });
  }

  private async open(name: string): Promise<Readable> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw this.invalid(`${name} is missing`);
    const { compressedSize, uncompressedSize } = entry;
    const isBomb = uncompressedSize > SMALL_BYTES && uncompressedSize > compressedSize * limits.decompressedRatioMax;
    if (isBomb || uncompressedSize > limits.decompressedBytesMax) {
      throw new HuitongError('DECOMPRESSION_LIMIT', `${name} unpacks to ${uncompressedSize} bytes`, {
        at: this.at,
        hint: 'Make sure where the file comes from, or divide it.',
      });
    }
    // The announced size is what the stream is held to: a member that lies about it ends in an error.
    return this.zip.openReadStreamPromise(entry);
  }
}

/** Throws FILE_INVALID for what is no zip file: an old .xls, or one with a password. */
export async function openZip(file: OpenFile, { path, sizeBytes }: PinnedFile): Promise<XlsxZip> {
  try {
    const options = { lazyEntries: true, autoClose: false };
    const zip = await fromRandomAccessReaderPromise(new PinnedReader(file), sizeBytes, options);
    if (zip.entryCount > MEMBERS_MAX) {
      throw new HuitongError('DECOMPRESSION_LIMIT', `the workbook has ${zip.entryCount} members`, { at: path });
    }
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    return new XlsxZip(zip, entries, path);
  } catch (cause: unknown) {
    if (isHuitongError(cause)) throw cause;
    throw new HuitongError('FILE_INVALID', 'the file is not an XLSX workbook', {
      at: path,
      cause,
      hint: 'Save it as .xlsx without a password; the older .xls is not read.',
    });
  }
}

class PinnedReader extends RandomAccessReader {
  private readonly file: OpenFile;

  constructor(file: OpenFile) {
    super();
    this.file = file;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const { file } = this;
    async function* copies(): AsyncGenerator<Buffer> {
      // A chunk is valid until the next one is asked for, and streams read ahead.
      for await (const chunk of file.chunks({ start, end })) yield Buffer.from(chunk);
    }
    return Readable.from(copies());
  }
}

function newParser(handler: XmlHandler, invalid: (message: string, cause?: unknown) => HuitongError): SaxesParser {
  const parser = new SaxesParser();
  parser.on('error', (cause) => {
    throw invalid('is not well-formed XML', cause);
  });
  parser.on('doctype', () => {
    throw invalid('has a document type, which no spreadsheet needs');
  });
  parser.on('opentag', (tag) => handler.open(localName(tag.name), (tag as SaxesTagPlain).attributes));
  parser.on('text', (text) => handler.text(text));
  parser.on('cdata', (text) => handler.text(text));
  parser.on('closetag', (tag) => handler.close(localName(tag.name)));
  return parser;
}

/** Some writers give the main namespace a prefix. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
