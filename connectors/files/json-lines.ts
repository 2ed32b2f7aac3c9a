/**
 * JSON lines (RFC 8259, an object a line), scanned byte by byte: no object is made, and numbers keep their digits. What
 * a member's value is in the table: a string's text, a number and a literal as written, an object or array as its JSON
 * text; null and an absent member are null. A line that is no object, or has a member that no column takes, is told as
 * malformed; one with a member twice as ambiguous.
 */
import { parseExactJson } from '../../columnar/exact-json.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { type CellTable, NULL_LENGTH } from './cells.ts';
import type { RecordScanner } from './window.ts';

const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const [COMMA, COLON, OPEN, CLOSE] = [0x2c, 0x3a, 0x7b, 0x7d];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [ZERO, MINUS, POINT] = [0x30, 0x2d, 0x2e];
const words = ['null', 'true', 'false'].map((word) => Buffer.from(word));
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What is wrong with a line. */
type Problem = 'ROW_MALFORMED' | 'JSON_AMBIGUOUS';

export class JsonLinesScanner implements RecordScanner {
  /** Every member that the table's files have, as UTF-8; and for each the column of the table, or -1. */
  private readonly names: Uint8Array[];
  private readonly targets: Int32Array;
  private readonly byName: Map<string, number>;
  /** The line in which each member was seen last. */
  private readonly seen: Float64Array;
  /** Which member came at each place of the line before: most lines have the same order. */
  private readonly order: number[] = [];
  private line = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private problem: Problem | undefined;

  constructor(names: string[], targets: number[]) {
    this.names = names.map((name) => Buffer.from(name));
    this.byName = new Map(names.map((name, i) => [name, i]));
    this.targets = Int32Array.from(targets);
    this.seen = new Float64Array(names.length);
  }

  scan(bytes: Uint8Array, start: number, end: number, last: boolean, table: CellTable): number {
    this.bytes = bytes;
    let at = start;
    while (table.rows < table.rowsMax && at < end) {
      // The line feed behind `end` is not the file's.
      const lineEnd = bytes.indexOf(LF, at);
      if (lineEnd >= end && !last) break;
      this.line++;
      this.at = at;
      this.skipBlanks();
      if (this.at < lineEnd) this.scanLine(lineEnd, table);
      at = Math.min(lineEnd + 1, end);
    }
    return at;
  }

  private scanLine(end: number, table: CellTable): void {
    table.nullRow();
    table.lines[table.rows] = this.line;
    this.problem = undefined;
    this.scanObject(table);
    this.skipBlanks();
    if (this.problem === undefined && this.at !== end) this.problem = 'ROW_MALFORMED';
    if (this.problem !== undefined) table.rejectRow(this.problem);
    table.rows++;
  }

  private scanObject(table: CellTable): void {
    if (!this.takes(OPEN) || this.takes(CLOSE)) return;
    for (let place = 0; this.problem === undefined; place++) {
      const member = this.scanName(place);
      if (member < 0 || !this.takes(COLON)) return;
      if (this.seen[member] === this.line) {
        this.problem = 'JSON_AMBIGUOUS';
        return;
      }
      this.seen[member] = this.line;
      this.scanValue(this.targets[member]!, table);
      if (this.problem !== undefined) return;
      if (this.bytes[this.at] !== COMMA) break;
      this.at++;
      this.skipBlanks();
    }
    this.takes(CLOSE);
  }

  /** The member whose name comes next, or -1. */
  private scanName(place: number): number {
    const { bytes } = this;
    const likely = this.order[place];
    if (likely !== undefined && bytes[this.at] === QUOTE) {
      const name = this.names[likely]!;
      const start = this.at + 1;
      let i = 0;
      while (i < name.length && bytes[start + i] === name[i]) i++;
      if (i === name.length && bytes[start + i] === QUOTE) {
        this.at = start + i + 1;
        this.skipBlanks();
        return likely;
      }
    }
    const { length, start } = this.scanString();
    if (this.problem !== undefined) return -1;
    const member = this.byName.get(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8')) ?? -1;
    // Nothing that was sent is dropped unseen.
    if (member < 0) this.problem = 'ROW_MALFORMED';
    else this.order[place] = member;
    return member;
  }

  private scanValue(target: number, table: CellTable): void {
    const first = this.bytes[this.at];
    let start = this.at;
    let length: number;
    if (first === QUOTE) ({ start, length } = this.scanString());
    else if (first === OPEN || first === OPEN_LIST) length = this.scanNested();
    else length = this.scanWord();
    this.skipBlanks();
    if (target < 0 || this.problem !== undefined) return;
    table.starts[target * table.rowsMax + table.rows] = start;
    table.lengths[target * table.rowsMax + table.rows] = length;
  }

  /** A string's text, unescaped where it lies: the line is not scanned again. */
  private scanString(): { start: number; length: number } {
    const { bytes } = this;
    if (bytes[this.at] !== QUOTE) return this.malformed();
    const start = this.at + 1;
    let at = start;
    let escaped = false;
    // A line feed is below every blank: it stops the loop at the end of the line.
    for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
      if (byte < BLANK) return this.malformed();
      if (byte !== BACKSLASH) continue;
      escaped = true;
      if (bytes[++at]! < BLANK) return this.malformed();
    }
    this.at = at + 1;
    this.skipBlanks();
    return { start, length: escaped ? this.unescape(start, at) : at - start };
  }

  /** An escaped text is never longer than what it stands for. */
  private unescape(start: number, end: number): number {
    const { bytes } = this;
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start - 1, end - start + 2);
    try {
      // As latin1 every byte is a character, so that bytes which are no UTF-8 are still there to be reported.
      const text = JSON.parse(raw.toString('latin1')) as string;
      return unescapeInto(bytes, start, raw, text);
    } catch {
      return this.malformed().length;
    }
  }

  /** An object or array: its text, which must be JSON too. */
  private scanNested(): number {
    const { bytes } = this;
    const start = this.at;
    let depth = 0;
    let at = start;
    for (; ; at++) {
      const byte = bytes[at]!;
      if (byte === LF) return this.malformed().length;
      if (byte === OPEN || byte === OPEN_LIST) depth++;
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) break;
      else if (byte === QUOTE) {
        for (at++; bytes[at] !== QUOTE && bytes[at] !== LF; at++) if (bytes[at] === BACKSLASH) at++;
        if (bytes[at] === LF) return this.malformed().length;
      }
    }
    this.at = at + 1;
    try {
      parseExactJson(Buffer.from(bytes.buffer, bytes.byteOffset + start, this.at - start).toString('utf8'));
    } catch (e: unknown) {
      this.problem = isHuitongError(e, 'JSON_AMBIGUOUS') ? 'JSON_AMBIGUOUS' : 'ROW_MALFORMED';
    }
    return this.at - start;
  }

  /** A number or a literal: its length, or that of a null. */
  private scanWord(): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    while (bytes[at]! > BLANK && bytes[at] !== COMMA && bytes[at] !== CLOSE) at++;
    this.at = at;
    const length = at - start;
    if (isPlainNumber(bytes, start, at)) return length;
    for (const word of words) if (isAt(word, bytes, start, length)) return word === words[0] ? NULL_LENGTH : length;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
    return NUMBER.test(text) ? length : this.malformed().length;
  }

  private malformed(): { start: number; length: number } {
    this.problem = 'ROW_MALFORMED';
    return { start: this.at, length: NULL_LENGTH };
  }

  private takes(byte: number): boolean {
    if (this.bytes[this.at] !== byte) {
      // An empty object ends where a name may begin: whoever asks for that goes on.
      if (byte !== CLOSE || this.bytes[this.at] !== QUOTE) this.problem = 'ROW_MALFORMED';
      return false;
    }
    this.at++;
    this.skipBlanks();
    return true;
  }

  private skipBlanks(): void {
    let byte = this.bytes[this.at];
    while (byte === BLANK || byte === 0x09 || byte === 0x0d) byte = this.bytes[++this.at];
  }
}

/** A number without an exponent: nearly every one, without making a string of it. */
function isPlainNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const whole = at;
  while (at < end && isDigit(bytes[at]!)) at++;
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return false;
  if (at === end) return true;
  if (bytes[at] !== POINT) return false;
  const fraction = ++at;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at === end && at > fraction;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function isAt(word: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (word.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

/**
 * Writes what `raw` (a JSON string, quotes included) stands for. Only its escapes are characters beyond one byte; a
 * surrogate without its other half becomes bytes that are no UTF-8, so that the cell is reported.
 */
function unescapeInto(bytes: Uint8Array, start: number, raw: Buffer, latin: string): number {
  if (!raw.includes('\\u')) return Buffer.from(latin, 'latin1').copy(bytes, start);
  let to = start;
  const put = (part: Uint8Array) => {
    bytes.set(part, to);
    to += part.length;
  };
  const inside = raw.subarray(1, raw.length - 1).toString('latin1');
  for (const [piece] of inside.matchAll(/(?:\\u[\da-fA-F]{4})+|\\[^u]|[^\\]+/g)) {
    const text = piece.startsWith('\\') ? (JSON.parse(`"${piece}"`) as string) : piece;
    if (!piece.startsWith('\\u')) put(Buffer.from(text, 'latin1'));
    else put(/\p{Surrogate}/u.test(text) ? Uint8Array.of(0xff) : Buffer.from(text));
  }
  return to - start;
}
