/** What a worksheet's cells refer to: the list of sheets, shared texts, and which formats show dates. */
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { OpenFile, PinnedFile } from './location.ts';
import { openZip, type XlsxZip } from './xlsx-zip.ts';

const WORKBOOK = 'xl/workbook.xml';
const RELATIONS = 'xl/_rels/workbook.xml.rels';

/** What a number's format makes of it. */
export type Shown = 'number' | 'date' | 'time';

export interface Workbook {
  zip: XlsxZip;
  /** Days are counted from 1904, as old Macintosh workbooks do. */
  from1904: boolean;
  /** The member of the chosen sheet. */
  sheet: string;
  /** By the cell's style. */
  shown: Shown[];
}

interface Sheet {
  name: string;
  relation: string;
  hidden: boolean;
}

/** @param name of the sheet; absent: the first one that is not hidden. Throws FILE_INVALID, TABLE_NOT_FOUND. */
export async function openWorkbook(file: OpenFile, pinned: PinnedFile, name: string | undefined): Promise<Workbook> {
  const zip = await openZip(file, pinned);
  const sheets: Sheet[] = [];
  let from1904 = false;
  await zip.parseWhole(WORKBOOK, {
    open(tag, attributes) {
      if (tag === 'workbookPr') from1904 = isTrue(attributes.date1904);
      if (tag !== 'sheet') return;
      const hidden = attributes.state !== undefined && attributes.state !== 'visible';
      const relation = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1] ?? '';
      sheets.push({ name: attributes.name ?? '', relation, hidden });
    },
    text() {},
    close() {},
  });
  const sheet = sheets.find((one) => (name === undefined ? !one.hidden : one.name === name));
  if (sheet === undefined) {
    const visible = sheets.filter(({ hidden }) => !hidden).map((one) => one.name);
    throw new HuitongError('TABLE_NOT_FOUND', `the workbook has no sheet ${name ?? 'that is not hidden'}`, {
      at: pinned.path,
      hint: `Sheets that are not hidden: ${visible.join(', ')}.`,
    });
  }
  return { zip, from1904, sheet: await memberOf(zip, sheet), shown: await formatsOf(zip) };
}

async function memberOf(zip: XlsxZip, { relation }: Sheet): Promise<string> {
  let target: string | undefined;
  await zip.parseWhole(RELATIONS, {
    open(tag, attributes) {
      if (tag === 'Relationship' && attributes.Id === relation) target = attributes.Target;
    },
    text() {},
    close() {},
  });
  if (target === undefined) throw zip.invalid('list of sheets does not say where the sheet is');
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`;
}

function isTrue(text: string | undefined): boolean {
  return text === '1' || text === 'true';
}

/** Formats that have a number and no text (ECMA-376, 18.8.30); 27 to 36 and 50 to 58 are those of Chinese dates. */
const dateFormats = new Set([14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58]);
const timeFormats = new Set([18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56]);

async function formatsOf(zip: XlsxZip): Promise<Shown[]> {
  const custom = new Map<number, string>();
  const shown: Shown[] = [];
  if (!zip.has('xl/styles.xml')) return shown;
  let inCells = false;
  await zip.parseWhole('xl/styles.xml', {
    open(tag, attributes) {
      if (tag === 'numFmt') custom.set(Number(attributes.numFmtId), attributes.formatCode ?? '');
      else if (tag === 'cellXfs') inCells = true;
      else if (tag === 'xf' && inCells) shown.push(shownBy(Number(attributes.numFmtId ?? 0), custom));
    },
    text() {},
    close(tag) {
      if (tag === 'cellXfs') inCells = false;
    },
  });
  return shown;
}

function shownBy(id: number, custom: Map<number, string>): Shown {
  const code = custom.get(id);
  if (code !== undefined) return shownByCode(code);
  return dateFormats.has(id) ? 'date' : timeFormats.has(id) ? 'time' : 'number';
}

/** A format code shows dates where it has a day or a year outside of quotes, escapes and brackets. */
export function shownByCode(code: string): Shown {
  const elapsed = /\[(h+|m+|s+)\]/i.test(code);
  const letters = code.replace(/"[^"]*"|\\.|_.|\*.|\[[^\]]*\]/g, '').split(';')[0] ?? '';
  if (/general/i.test(letters)) return 'number';
  if (/[yd]/i.test(letters) || /m{3,}/i.test(letters)) return 'date';
  if (elapsed || /[hs]/i.test(letters)) return 'time';
  return /m/i.test(letters) ? 'date' : 'number';
}

/** All shared texts in one piece of memory: there can be millions. */
export class SharedTexts {
  private bytes = Buffer.alloc(64 * 1024);
  private readonly ends: number[] = [];

  add(text: string, at: string): void {
    const start = this.ends.at(-1) ?? 0;
    const needed = start + text.length * 3;
    if (needed > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, 0, start);
      this.bytes = larger;
    }
    const end = start + this.bytes.write(text, start);
    if (end > limits.sharedTextBytesMax) {
      throw new HuitongError('DECOMPRESSION_LIMIT', `shared texts of more than ${limits.sharedTextBytesMax} bytes`, {
        at,
      });
    }
    this.ends.push(end);
  }

  /** Undefined where there is no such text. */
  get(index: number): Uint8Array | undefined {
    const end = this.ends[index];
    return end === undefined ? undefined : this.bytes.subarray(index === 0 ? 0 : this.ends[index - 1], end);
  }
}

const SHARED = 'xl/sharedStrings.xml';

export async function sharedTextsOf(zip: XlsxZip, at: string): Promise<SharedTexts> {
  const texts = new SharedTexts();
  if (!zip.has(SHARED)) return texts;
  const collector = new RichText();
  await zip.parseWhole(SHARED, {
    open: (tag) => collector.open(tag),
    text: (text) => collector.text(text),
    close(tag) {
      collector.close(tag);
      if (tag === 'si') texts.add(collector.take(), at);
    },
  });
  return texts;
}

/** The text of `t` elements, of all runs of a rich text; what tells the pronunciation (`rPh`) is not part of it. */
export class RichText {
  private collected = '';
  private inText = false;
  private inPhonetic = false;

  open(tag: string): void {
    if (tag === 't') this.inText = !this.inPhonetic;
    else if (tag === 'rPh') this.inPhonetic = true;
  }

  text(text: string): void {
    if (this.inText) this.collected += text;
  }

  close(tag: string): void {
    if (tag === 't') this.inText = false;
    else if (tag === 'rPh') this.inPhonetic = false;
  }

  take(): string {
    const text = unescapeText(this.collected);
    this.collected = '';
    return text;
  }
}

/** Characters that XML has no place for are written as `_x000D_` (ECMA-376, 22.9.2.19). */
export function unescapeText(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([\dA-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
