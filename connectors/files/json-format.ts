/** JSON lines: their columns are the members of the first lines, unless the definition names them. */
import { parseExactJson } from '../../columnar/exact-json.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { ChunkQueue, hasPlainLines, transcoded } from './encoding.ts';
import { type FileFormat, statedColumns } from './format.ts';
import { JsonLinesScanner } from './json-lines.ts';
import { divideLines } from './lines.ts';
import { readText, type ScanPiece } from './read-text.ts';
import { scanFile } from './window.ts';

const LOOK_BYTES = 4 * 1024 * 1024;
const LOOK_LINES = 1_000;

export const jsonLines: FileFormat = {
  async describe(file, { path }, options) {
    if (options.columns !== undefined) return { columns: statedColumns(options.columns, options) };
    const queue = new ChunkQueue(file.chunks());
    const encoding = await queue.takeBeginning(options.encoding, path);
    const text = new ChunkQueue(transcoded(queue.rest(), encoding));
    let whole = false;
    while (!whole && text.head.length < LOOK_BYTES) whole = !(await text.more());
    const lines = Buffer.from(text.head).toString('utf8').split('\n');
    // The last one may not be whole.
    const names = namesIn(whole ? lines : lines.slice(0, -1));
    if (names.length === 0)
      throw new HuitongError('FILE_INVALID', 'the file’s first lines are no JSON objects', { at: path });
    return { columns: statedColumns([...new Set([...names, ...Object.keys(options.types ?? {})])], options) };
  },
  async divide(file, pinned, options, wanted) {
    const queue = new ChunkQueue(file.chunks());
    const encoding = await queue.takeBeginning(options.encoding, pinned.path);
    const isStated = encoding === (options.encoding ?? 'utf-8');
    if (options.lineColumn !== undefined || !isStated || !hasPlainLines(encoding)) return [{ file: pinned }];
    return divideLines(file, pinned, wanted);
  },
  read: (job) => readText(job, scan),
};

/** Lines that are no objects are told when they are read. */
function namesIn(lines: string[]): string[] {
  const names = new Set<string>();
  for (const line of lines.slice(0, LOOK_LINES)) {
    try {
      const value = line.trim() === '' ? undefined : parseExactJson(line);
      if (value instanceof Map) for (const name of value.keys()) names.add(name);
    } catch (e: unknown) {
      if (!isHuitongError(e, 'JSON_INVALID') && !isHuitongError(e, 'JSON_AMBIGUOUS')) throw e;
    }
  }
  return [...names];
}

const scan: ScanPiece = async function* (file, piece, table, { options, request }) {
  const { path } = piece.file;
  const { columns, description } = request.plan;
  const names = description.columns as string[];
  const targets = names.map((name) => columns.findIndex((column) => column.name === name));
  const queue = new ChunkQueue(file.chunks(piece.bytes));
  const begins = piece.bytes === undefined || piece.bytes.start === 0;
  const encoding = begins ? await queue.takeBeginning(options.encoding, path) : (options.encoding ?? 'utf-8');
  yield* scanFile(transcoded(queue.rest(), encoding), new JsonLinesScanner(names, targets), table, path);
};
