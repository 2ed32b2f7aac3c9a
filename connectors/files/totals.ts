/**
 * How many rows the files hold, by another way than reading them: for CSV and JSON lines, records counted by their
 * line ends in the raw bytes; for Parquet and Arrow, what their own metadata says. Spreadsheets and UTF-16 have neither.
 */
import type { ControlTotals, TableRequest } from '../connector.ts';
import { type FilesConfig, formatOf, type TableOptions } from './config.ts';
import { type CsvDialect, csvDialect } from './csv.ts';
import { hasPlainLines } from './encoding.ts';
import { type Location, type OpenFile, type PinnedFile, stopIfCancelled } from './location.ts';
import { describeFile, filesOf } from './plan.ts';

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;

/** Undefined where one of the files has no rows that can be counted without being read. */
export async function countRows(
  location: Location,
  config: FilesConfig,
  all: PinnedFile[],
  request: TableRequest,
  signal: AbortSignal,
): Promise<ControlTotals | undefined> {
  const { files, options } = filesOf(config, all, request.table);
  let rows = 0;
  for (const file of files) {
    const found = await rowsOf(location, file, options, signal);
    if (found === undefined) return undefined;
    rows += found;
  }
  return { rows, sums: {} };
}

async function rowsOf(
  location: Location,
  file: PinnedFile,
  options: TableOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  const format = formatOf(file.path, options);
  if (format === 'arrow' || format === 'parquet') return (await describeFile(location, file, options)).rows;
  if (format === 'xlsx' || !hasPlainLines(options.encoding ?? 'utf-8')) return undefined;
  const columns = (await describeFile(location, file, options)).columns.filter(({ spelling }) => spelling !== 'line');
  const opened = await location.open(file);
  try {
    // Nothing quotes a line end of JSON.
    const dialect = format === 'csv' ? csvDialect(options) : { delimiter: LF, quote: undefined };
    const records = await countRecords(opened, dialect, columns.length === 1 && format === 'csv', signal);
    await opened.assertUnchanged();
    if (records === undefined) return undefined;
    return format === 'csv' && options.header !== false ? records - 1 : records;
  } finally {
    await opened.close();
  }
}

/**
 * Line ends that are not between quotes: a quote opens at the beginning of a cell, and again right behind one that
 * closed. Undefined for UTF-16.
 */
async function countRecords(
  file: OpenFile,
  { delimiter, quote }: Pick<CsvDialect, 'delimiter' | 'quote'>,
  blankCounts: boolean,
  signal: AbortSignal,
): Promise<number | undefined> {
  let [records, previous, first] = [0, LF, true];
  let [quoted, closed, content] = [false, false, false];
  for await (const chunk of file.chunks()) {
    stopIfCancelled(signal);
    if (first && chunk.length >= 2 && [0xfffe, 0xfeff].includes((chunk[0]! << 8) | chunk[1]!)) return undefined;
    let at = first && chunk[0] === 0xef && chunk[1] === 0xbb ? 3 : 0;
    first = false;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      const opens = closed || previous === delimiter || previous === LF || previous === CR;
      closed = quoted && byte === quote;
      if (byte === quote) quoted = !quoted && opens;
      const isEnd = !quoted && (byte === LF || byte === CR);
      if (!isEnd) content ||= quoted || byte > BLANK || quote !== undefined;
      else if (byte === CR || previous !== CR) {
        if (content || blankCounts) records++;
        content = false;
      }
      previous = byte;
    }
  }
  return content ? records + 1 : records;
}
