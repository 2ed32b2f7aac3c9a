/** CSV files: their columns, their pieces, their rows. */
import { HuitongError } from '../../lib/errors.ts';
import type { Encoding, TableOptions } from './config.ts';
import { CsvScanner, csvDialect } from './csv.ts';
import { assertNames, firstRecord } from './csv-header.ts';
import { ChunkQueue, hasPlainLines, transcoded } from './encoding.ts';
import { assertSameColumns, type FileFormat, type Piece, statedColumns } from './format.ts';
import { divideLines } from './lines.ts';
import type { OpenFile } from './location.ts';
import { readText, type ScanPiece } from './read-text.ts';
import { scanFile } from './window.ts';

/** A CSV file opened behind its header. */
interface OpenedCsv {
  names: string[];
  encoding: Encoding;
  rows: AsyncIterable<Uint8Array>;
  /** The number of the first line of `rows`. */
  line: number;
}

export const csv: FileFormat = {
  async describe(file, pinned, options) {
    const { names } = await openCsv(file, { file: pinned }, options);
    return { columns: statedColumns(names, options) };
  },
  async divide(file, pinned, options, wanted) {
    // Where a character quotes, no line end can be told from one within a cell without reading all before it.
    const quotes = csvDialect(options).quote !== undefined;
    const { encoding, names } = await openCsv(file, { file: pinned }, options);
    const isStated = encoding === (options.encoding ?? 'utf-8');
    if (quotes || options.lineColumn !== undefined || !isStated || !hasPlainLines(encoding)) return [{ file: pinned }];
    const pieces = await divideLines(file, pinned, wanted);
    return pieces.map((piece, i) => (i === 0 ? piece : { ...piece, names }));
  },
  read: (job) => readText(job, scan),
};

const scan: ScanPiece = async function* (file, piece, table, { options, request }) {
  const { path } = piece.file;
  const { names, rows, line } = await openCsv(file, piece, options);
  assertSameColumns(names, request.plan, path);
  const targets = names.map((name) => request.plan.columns.findIndex((column) => column.name === name));
  yield* scanFile(rows, new CsvScanner(csvDialect(options), targets, path, line), table, path);
};

async function openCsv(file: OpenFile, piece: Piece, options: TableOptions): Promise<OpenedCsv> {
  const { path } = piece.file;
  const dialect = csvDialect(options);
  const queue = new ChunkQueue(file.chunks(piece.bytes));
  if (piece.names !== undefined) {
    const encoding = options.encoding ?? 'utf-8';
    return { names: piece.names, encoding, rows: transcoded(queue.rest(), encoding), line: 1 };
  }
  const encoding = await queue.takeBeginning(options.encoding, path);
  const text = new ChunkQueue(transcoded(queue.rest(), encoding));
  const first = await firstRecord(text, dialect, path);
  if (options.header !== false) {
    if (first === undefined) throw new HuitongError('FILE_INVALID', 'the file has no header', { at: path });
    assertNames(first.cells, path);
    return { names: first.cells, encoding, rows: text.rest(first.bytes), line: first.lines + 1 };
  }
  const names = options.columns ?? first?.cells.map((_, i) => `column${i + 1}`) ?? [];
  if (names.length > 0) return { names, encoding, rows: text.rest(), line: 1 };
  throw new HuitongError('FILE_INVALID', 'the file is empty, and the definition names no columns', { at: path });
}
