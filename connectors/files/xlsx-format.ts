/** XLSX: one worksheet, its rows from XML into the table of cells; the workbook is never in memory as a whole. */

import type { UnrepresentableCode } from '../../columnar/batch.ts';
import type { ByteSource } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type CellTable, NULL_LENGTH } from './cells.ts';
import type { TableOptions } from './config.ts';
import { assertNames } from './csv-header.ts';
import type { ScannedBytes } from './decode.ts';
import { assertSameColumns, type FileFormat, statedColumns } from './format.ts';
import type { OpenFile, PinnedFile } from './location.ts';
import { readText, type ScanPiece } from './read-text.ts';
import type { Mapping } from './types.ts';
import { rangeOf, SheetParser, type SheetTarget } from './xlsx-sheet.ts';
import { openWorkbook, sharedTextsOf } from './xlsx-workbook.ts';

/** No row takes fewer characters of XML: `<row/>`. */
const ROW_CHARACTERS_MIN = 6;
const SLACK_BYTES = 8;

export const xlsx: FileFormat = {
  async describe(file, pinned, options) {
    const { names } = await headerOf(file, pinned, options);
    return { columns: statedColumns(names, options) };
  },
  read: (job) => readText(job, scan),
};

/** The names of the columns, and the first row of data. */
async function headerOf(
  file: OpenFile,
  pinned: PinnedFile,
  options: TableOptions,
): Promise<{ names: string[]; firstRow: number }> {
  const range = rangeOf(options.range, options.headerRow ?? 1);
  const { path } = pinned;
  if (options.header === false) {
    if (options.columns !== undefined) return { names: options.columns, firstRow: range.firstRow };
    throw new HuitongError('CONFIG_INVALID', 'a sheet without a header needs `columns`', { at: path });
  }
  const workbook = await openWorkbook(file, pinned, options.sheet);
  const header = new Header();
  const shared = await sharedTextsOf(workbook.zip, path);
  const parser = new SheetParser(workbook, shared, { ...range, lastRow: range.firstRow }, header);
  try {
    for await (const _ of workbook.zip.parse(workbook.sheet, parser)) if (header.done) break;
  } finally {
    workbook.zip.close();
  }
  if (header.names.length === 0) {
    throw new HuitongError('FILE_INVALID', `row ${range.firstRow} of the sheet names no columns`, {
      at: path,
      hint: 'Say where the header is: `headerRow` or `range` of the table.',
    });
  }
  const names = Array.from(header.names, (name: string | undefined) => name ?? '');
  assertNames(names, path);
  return { names, firstRow: range.firstRow + 1 };
}

class Header implements SheetTarget {
  readonly names: string[] = [];
  done = false;

  codecOf(): Mapping['codec'] {
    return 'text';
  }

  cell(column: number, text: Uint8Array): void {
    this.names[column] = Buffer.from(text).toString('utf8');
  }

  problem(column: number): void {
    this.names[column] = '';
  }

  row(): void {
    this.done = true;
  }
}

const scan: ScanPiece = async function* (file, { file: pinned }, table, { options, request }) {
  const { names, firstRow } = await headerOf(file, pinned, options);
  assertSameColumns(names, request.plan, pinned.path);
  const targets = names.map((name) => request.plan.columns.findIndex((column) => column.name === name));
  const codecs = request.plan.columns.map(({ mapping }) => (mapping as Mapping).codec);
  const workbook = await openWorkbook(file, pinned, options.sheet);
  try {
    const rows = new SheetRows(table, names, targets, codecs, pinned.path);
    const range = { ...rangeOf(options.range, firstRow), firstRow };
    const parser = new SheetParser(workbook, await sharedTextsOf(workbook.zip, pinned.path), range, rows);
    // A step holds at most half as many rows as the table, which is emptied when it is half full.
    const half = Math.max(1, Math.floor(table.rowsMax / 2));
    table.clear();
    for await (const _ of workbook.zip.parse(workbook.sheet, parser, half * ROW_CHARACTERS_MIN)) {
      if (table.rows >= half) yield* rows.drain();
    }
    yield* rows.drain();
  } finally {
    workbook.zip.close();
  }
};

/** Cells of some rows, one behind the other in one piece of memory. */
class SheetRows implements SheetTarget {
  private readonly table: CellTable;
  private readonly names: string[];
  private readonly targets: number[];
  private readonly codecs: Mapping['codec'][];
  private readonly at: string;
  private bytes = new Uint8Array(64 * 1024);
  private used = 0;
  /** Of the row under way. */
  private problems: { column: number; code: UnrepresentableCode }[] = [];
  private outside = false;

  constructor(table: CellTable, names: string[], targets: number[], codecs: Mapping['codec'][], at: string) {
    this.table = table;
    this.names = names;
    this.targets = targets;
    this.codecs = codecs;
    this.at = at;
    table.clear();
    table.nullRow();
  }

  codecOf(column: number): Mapping['codec'] {
    return this.codecs[this.targets[column] ?? -1] ?? 'text';
  }

  cell(column: number, text: Uint8Array): void {
    const { table } = this;
    const target = this.targets[column];
    if (target === undefined) this.outside = true;
    if (target === undefined || target < 0) return;
    if (text.length > limits.cellBytesMax) {
      throw new HuitongError('CELL_TOO_LARGE', `a cell of column ${this.names[column]} is too large`, { at: this.at });
    }
    this.reserve(text.length);
    this.bytes.set(text, this.used);
    table.starts[target * table.rowsMax + table.rows] = this.used;
    table.lengths[target * table.rowsMax + table.rows] = text.length;
    this.used += text.length;
  }

  problem(column: number, code: UnrepresentableCode): void {
    const target = this.targets[column];
    if (target === undefined) this.outside = true;
    else if (target >= 0) this.problems.push({ column: target, code });
  }

  row(number: number): void {
    const { table } = this;
    table.lines[table.rows] = number;
    // A value beyond the columns of the header has no column to go to.
    if (this.outside) table.rejectRow('ROW_MALFORMED');
    else for (const { column, code } of this.problems) table.problems.push({ row: table.rows, column, code });
    this.problems = [];
    this.outside = false;
    if (++table.rows < table.rowsMax) table.nullRow();
  }

  *drain(): Generator<ScannedBytes> {
    const { bytes, table } = this;
    if (table.rows > 0) {
      const source: ByteSource = { bytes, view: new DataView(bytes.buffer) };
      yield { source, start: 0, end: this.used };
    }
    // Cells of a row under way stay.
    this.moveRow();
  }

  /** The row that the parser is in the middle of becomes the table's first. */
  private moveRow(): void {
    const { table } = this;
    const { lengths, rows, rowsMax, starts } = table;
    const kept = this.bytes.slice(0, this.used);
    table.clear();
    this.used = 0;
    for (let column = 0; column < table.columns; column++) {
      const from = column * rowsMax + rows;
      const length = rows < rowsMax ? lengths[from]! : NULL_LENGTH;
      lengths[column * rowsMax] = length;
      if (length === NULL_LENGTH) continue;
      this.bytes.set(kept.subarray(starts[from]!, starts[from]! + length), this.used);
      starts[column * rowsMax] = this.used;
      this.used += length;
    }
  }

  private reserve(bytes: number): void {
    if (this.used + bytes + SLACK_BYTES <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + bytes + SLACK_BYTES));
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }
}
