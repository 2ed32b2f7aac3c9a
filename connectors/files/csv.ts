/**
 * CSV (RFC 4180), scanned byte by byte. What the format leaves open is written down in docs/reference/files.md:
 *   line ends      CRLF, LF and CR end a record, unless quoted
 *   quotes         mean something at the beginning of a cell only; a doubled one inside stands for itself
 *   null           an unquoted cell that is among `nulls`; a quoted cell is never null
 *   blank lines    are no records, unless the file has one column
 *   ragged rows    are told as malformed, whole, and never shifted
 */
import { HuitongError } from '../../lib/errors.ts';
import { type CellTable, NULL_LENGTH } from './cells.ts';
import type { RecordScanner } from './window.ts';

const LF = 0x0a;
const CR = 0x0d;
const NO_COLUMN = -1;
/** Of `scanQuoted`: the record does not end within the window. */
const UNFINISHED = -1;

export interface CsvDialect {
  /** ASCII codes. */
  delimiter: number;
  /** Undefined: no character quotes. */
  quote: number | undefined;
  nulls: Uint8Array[];
}

export function csvDialect(options: { delimiter?: string; quote?: string; nulls?: string[] }): CsvDialect {
  const { delimiter = ',', quote = '"', nulls = [''] } = options;
  if (delimiter === quote)
    throw new HuitongError('CONFIG_INVALID', 'the delimiter and the quote are the same character');
  return {
    delimiter: delimiter.charCodeAt(0),
    quote: quote === '' ? undefined : quote.charCodeAt(0),
    nulls: nulls.map((text) => Buffer.from(text)),
  };
}

export class CsvScanner implements RecordScanner {
  private readonly dialect: CsvDialect;
  /** For each column of the file, the one of the table, or -1. */
  private readonly targets: Int32Array;
  private readonly stops = new Uint8Array(256);
  private readonly quote: number;
  private readonly nullBytesMax: number;
  private readonly at: string;
  /** Line feeds so far, from 1. */
  private line: number;
  /** Of the cell that was scanned last. */
  private cellStart = 0;
  private cellLength = 0;
  private doubled = false;
  private newlines = 0;
  private trailing = false;
  /** Cells of the record under way that hold doubled quotes: they are halved when the record is known to be whole. */
  private readonly halves: number[] = [];

  /** @param at names the file @param line the number of its first line that is scanned */
  constructor(dialect: CsvDialect, targets: number[], at: string, line: number) {
    this.dialect = dialect;
    this.targets = Int32Array.from(targets);
    this.quote = dialect.quote ?? -1;
    for (const stop of [dialect.delimiter, LF, CR]) this.stops[stop] = 1;
    this.nullBytesMax = Math.max(-1, ...dialect.nulls.map((text) => text.length));
    this.at = at;
    this.line = line;
  }

  scan(bytes: Uint8Array, start: number, end: number, last: boolean, table: CellTable): number {
    let at = start;
    while (table.rows < table.rowsMax && at < end) {
      if (this.targets.length > 1 && (bytes[at] === LF || bytes[at] === CR)) {
        const next = afterLineEnd(bytes, at, end, last);
        if (next === UNFINISHED) break;
        this.line++;
        at = next;
        continue;
      }
      const next = this.scanRecord(bytes, at, end, last, table);
      if (next === UNFINISHED) break;
      at = next;
    }
    return at;
  }

  /** Behind the record, or UNFINISHED. */
  private scanRecord(bytes: Uint8Array, start: number, end: number, last: boolean, table: CellTable): number {
    const { delimiter } = this.dialect;
    const { targets, stops, quote } = this;
    const { rowsMax, rows, starts, lengths } = table;
    const columns = targets.length;
    let at = start;
    let column = 0;
    let newlines = 0;
    let malformed = false;
    for (;;) {
      let length: number;
      let cell = at;
      if (bytes[at] === quote) {
        at = this.scanQuoted(bytes, at, end, last);
        if (at === UNFINISHED) return UNFINISHED;
        cell = this.cellStart;
        length = this.cellLength;
        newlines += this.newlines;
        malformed ||= this.trailing;
        if (this.doubled && column < columns) this.halves.push(column);
      } else {
        while (stops[bytes[at]!] === 0) at++;
        if (at >= end && !last) return this.abandon();
        length = at - cell;
        if (length <= this.nullBytesMax && this.isNull(bytes, cell, length)) length = NULL_LENGTH;
      }
      const target = column < columns ? targets[column]! : NO_COLUMN;
      if (target !== NO_COLUMN) {
        starts[target * rowsMax + rows] = cell;
        lengths[target * rowsMax + rows] = length;
      }
      column++;
      if (at >= end || bytes[at] !== delimiter) break;
      at++;
    }
    const next = at >= end ? end : afterLineEnd(bytes, at, end, last);
    if (next === UNFINISHED) return this.abandon();
    table.lines[rows] = this.line;
    this.line += newlines + 1;
    if (malformed || column !== columns) table.rejectRow('ROW_MALFORMED');
    else if (this.halves.length > 0) this.halveQuotes(bytes, table);
    this.halves.length = 0;
    table.rows++;
    return next;
  }

  private abandon(): number {
    this.halves.length = 0;
    return UNFINISHED;
  }

  /** From the opening quote to the delimiter or line end behind the closing one. */
  private scanQuoted(bytes: Uint8Array, start: number, end: number, last: boolean): number {
    const { quote, stops } = this;
    let at = start + 1;
    this.newlines = 0;
    this.doubled = false;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === quote && at < end) {
        if (at + 1 >= end && !last) return this.abandon();
        if (at + 1 >= end || bytes[at + 1] !== quote) break;
        this.doubled = true;
        at++;
      } else if (byte === LF) {
        if (at >= end) return this.unclosed(last);
        this.newlines++;
      }
      at++;
    }
    this.cellStart = start + 1;
    this.cellLength = at - start - 1;
    at++;
    // Text behind the closing quote: nobody can say what was meant.
    this.trailing = stops[bytes[at]!] === 0;
    while (stops[bytes[at]!] === 0) at++;
    return at >= end && !last ? this.abandon() : at;
  }

  private unclosed(last: boolean): number {
    if (!last) return this.abandon();
    throw new HuitongError('FILE_INVALID', 'a quote is opened and never closed', {
      at: `${this.at} line ${this.line}`,
    });
  }

  private isNull(bytes: Uint8Array, start: number, length: number): boolean {
    return this.dialect.nulls.some((text) => {
      if (text.length !== length) return false;
      for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false;
      return true;
    });
  }

  /** Two quotes become one, in place: the record will not be scanned again. */
  private halveQuotes(bytes: Uint8Array, table: CellTable): void {
    for (const column of this.halves) {
      const target = this.targets[column]!;
      if (target === NO_COLUMN) continue;
      const cell = target * table.rowsMax + table.rows;
      const start = table.starts[cell]!;
      const end = start + table.lengths[cell]!;
      let to = start;
      for (let from = start; from < end; from++) {
        if (bytes[from] === this.quote) from++;
        bytes[to++] = bytes[from]!;
      }
      table.lengths[cell] = to - start;
    }
  }
}

/** Behind CRLF, LF or CR; UNFINISHED where an LF may follow a CR that is the last byte so far. */
function afterLineEnd(bytes: Uint8Array, at: number, end: number, last: boolean): number {
  if (bytes[at] !== CR) return at + 1;
  if (at + 1 >= end) return last ? end : UNFINISHED;
  return bytes[at + 1] === LF ? at + 2 : at + 1;
}
