/** A worksheet's rows as they come out of its XML (ECMA-376, 18.3.1). */
import type { UnrepresentableCode } from '../../columnar/batch.ts';
import type { Mapping } from './types.ts';
import { numberText, placeOf } from './xlsx-cells.ts';
import { RichText, type SharedTexts, unescapeText, type Workbook } from './xlsx-workbook.ts';
import type { XmlHandler } from './xlsx-zip.ts';

/** Takes what `SheetParser` finds, cell by cell. `column` is counted from 0, within the range that is read. */
export interface SheetTarget {
  /** What the column is read as: a number is shown accordingly. */
  codecOf(column: number): Mapping['codec'];
  cell(column: number, text: Uint8Array): void;
  problem(column: number, code: UnrepresentableCode): void;
  /** Behind a row that has cells. */
  row(number: number): void;
}

/** The part of a sheet that is read; rows are counted from 1. */
export interface SheetRange {
  firstRow: number;
  lastRow: number;
  firstColumn: number;
  lastColumn: number;
}

const EVERYTHING = { lastRow: Number.POSITIVE_INFINITY, lastColumn: Number.POSITIVE_INFINITY };

export function rangeOf(range: string | undefined, headerRow: number): SheetRange {
  if (range === undefined) return { firstRow: headerRow, firstColumn: 0, ...EVERYTHING };
  const [from, to] = range.split(':').map((reference) => placeOf(reference));
  if (from === undefined || to === undefined) return { firstRow: headerRow, firstColumn: 0, ...EVERYTHING };
  return { firstRow: from.row, firstColumn: from.column, lastRow: to.row, lastColumn: to.column };
}

export class SheetParser implements XmlHandler {
  private readonly target: SheetTarget;
  private readonly workbook: Workbook;
  private readonly shared: SharedTexts;
  private readonly range: SheetRange;
  private row = 0;
  private column = -1;
  private hasCells = false;
  private type = 'n';
  private style = 0;
  private value: string | undefined;
  private formula = false;
  private inValue = false;
  private inline: RichText | undefined;

  constructor(workbook: Workbook, shared: SharedTexts, range: SheetRange, target: SheetTarget) {
    this.workbook = workbook;
    this.shared = shared;
    this.range = range;
    this.target = target;
  }

  open(tag: string, attributes: Record<string, string>): void {
    if (tag === 'row') {
      this.row = attributes.r === undefined ? this.row + 1 : Number(attributes.r);
      this.column = -1;
      this.hasCells = false;
    } else if (tag === 'c') this.openCell(attributes);
    else if (tag === 'v') this.inValue = true;
    else if (tag === 'f') this.formula = true;
    else if (tag === 'is') this.inline = new RichText();
    else this.inline?.open(tag);
  }

  text(text: string): void {
    if (this.inValue) this.value = (this.value ?? '') + text;
    else this.inline?.text(text);
  }

  close(tag: string): void {
    if (tag === 'v') this.inValue = false;
    else if (tag === 'c') this.closeCell();
    else if (tag === 'row' && this.hasCells) this.target.row(this.row);
    else this.inline?.close(tag);
  }

  private openCell(attributes: Record<string, string>): void {
    // References may be left out: then cells and rows follow each other.
    const place = attributes.r === undefined ? undefined : placeOf(attributes.r);
    this.column = place?.column ?? this.column + 1;
    this.type = attributes.t ?? 'n';
    this.style = Number(attributes.s ?? 0);
    this.value = undefined;
    this.formula = false;
    this.inline = undefined;
  }

  private closeCell(): void {
    const { column, range, row, target } = this;
    if (row < range.firstRow || row > range.lastRow || column < range.firstColumn || column > range.lastColumn) return;
    const place = column - range.firstColumn;
    const found = this.content(place);
    if (found === undefined) return;
    this.hasCells = true;
    if (typeof found === 'string') target.problem(place, found);
    else target.cell(place, found);
  }

  /** Bytes of its text, or why it has none; undefined for an empty cell. */
  private content(place: number): Uint8Array | UnrepresentableCode | undefined {
    const { inline, type, value } = this;
    if (inline !== undefined) return Buffer.from(inline.take());
    // A formula that no program has calculated since: its value is not in the file.
    if (value === undefined) return this.formula ? 'INVALID_TEXT' : undefined;
    switch (type) {
      case 's':
        return this.shared.get(Number(value)) ?? 'INVALID_TEXT';
      case 'str':
      case 'inlineStr':
      case 'd':
        return Buffer.from(unescapeText(value));
      case 'b':
        return Buffer.from(value === '1' ? 'true' : 'false');
      case 'e':
        return 'NOT_A_NUMBER';
      default: {
        const shown = this.workbook.shown[this.style] ?? 'number';
        const found = numberText(value, shown, this.workbook.from1904, this.target.codecOf(place));
        return 'text' in found ? Buffer.from(found.text) : found.problem;
      }
    }
  }
}
