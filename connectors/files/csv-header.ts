/** The first record of a CSV file, as strings: it names the columns. */
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { CsvDialect } from './csv.ts';
import type { ChunkQueue } from './encoding.ts';

const LF = 0x0a;
const CR = 0x0d;
const HEADER_BYTES_MAX = 16 * 1024 * 1024;

export interface FirstRecord {
  cells: string[];
  /** Bytes, and line ends, that it takes, blank lines before it included. */
  bytes: number;
  lines: number;
}

/** Looks at the bytes of `queue`, which are UTF-8, and takes nothing. Undefined: the file has no record. */
export async function firstRecord(
  queue: ChunkQueue,
  dialect: CsvDialect,
  at: string,
): Promise<FirstRecord | undefined> {
  for (;;) {
    const found = splitRecord(queue.head, dialect);
    if (found !== undefined && !found.unfinished) return found;
    if (queue.head.length > HEADER_BYTES_MAX) throw invalid('its first record does not end', at);
    if (!(await queue.more())) {
      if (found?.unfinished === 'quote') throw invalid('a quote in its first record is never closed', at);
      return found;
    }
  }
}

type SplitRecord = FirstRecord & { unfinished?: 'quote' | 'line' };

/** Undefined where there are blank lines only. `unfinished`: the record goes to the end of the bytes. */
function splitRecord(bytes: Uint8Array, { delimiter, quote }: CsvDialect): SplitRecord | undefined {
  let at = 0;
  let lines = 0;
  while (bytes[at] === LF || bytes[at] === CR) if (bytes[at++] === LF) lines++;
  if (at >= bytes.length) return undefined;
  const cells: string[] = [];
  for (;;) {
    let cell: number[] = [];
    if (bytes[at] === quote && quote !== undefined) {
      for (at++; at < bytes.length; at++) {
        if (bytes[at] === quote && bytes[++at] !== quote) break;
        if (bytes[at] === LF) lines++;
        cell.push(bytes[at]!);
      }
      if (at >= bytes.length && bytes[at - 1] !== quote) return { cells, bytes: at, lines, unfinished: 'quote' };
    }
    const from = at;
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== LF && bytes[at] !== CR) at++;
    cell = [...cell, ...bytes.subarray(from, at)];
    cells.push(Buffer.from(cell).toString('utf8'));
    if (bytes[at] !== delimiter || at >= bytes.length) break;
    at++;
  }
  if (at >= bytes.length || (bytes[at] === CR && at + 1 >= bytes.length)) {
    return { cells, bytes: Math.min(at + 1, bytes.length), lines: lines + 1, unfinished: 'line' };
  }
  const end = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
  return { cells, bytes: end, lines: lines + 1 };
}

/** Throws FILE_INVALID for names that are empty or stand twice, and for too many of them. */
export function assertNames(names: string[], at: string): void {
  if (names.length > limits.columnsMax) throw invalid(`more than ${limits.columnsMax} columns`, at);
  const empty = names.indexOf('');
  if (empty >= 0) throw invalid(`column ${empty + 1} has no name in the header`, at);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid(`the column ${JSON.stringify(twice)} stands twice in the header`, at);
  if (names.some((name) => name.includes('\uFFFD') || name.includes('\0'))) {
    throw invalid('the header is not text in the file’s encoding', at);
  }
}

function invalid(message: string, at: string): HuitongError {
  return new HuitongError('FILE_INVALID', message, { at });
}
