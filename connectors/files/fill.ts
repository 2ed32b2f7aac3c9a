/**
 * The second phase of decoding, and the one switch in it: from a type to the loop that fills a column. A loop has a
 * fast way for the plain form of its type; every other cell becomes a string and goes to `textAppender`, which knows
 * all forms and why a text has none.
 */
import { isUtf8 } from 'node:buffer';
import type {
  BoolBuilder,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  Int64Builder,
  NumberBuilder,
} from '../../columnar/builders/index.ts';
import { textAppender } from '../../columnar/text-cells.ts';
import { type AppendPlain, type Cells, type Fill, NULL_LENGTH, type Report } from './cells.ts';
import { appendDecimal, appendFloat, appendInt64, appendSmallInt } from './fill-numbers.ts';
import { appendDate, appendTimestamp, rewriterOf } from './fill-times.ts';
import type { Mapping } from './types.ts';

/** What a definition says of the texts of its cells. */
export interface CellForms {
  dateFormats: string[];
  trueTexts: string[];
  falseTexts: string[];
}

/** The builder is the one of `arrowTypeOf(mapping)`. */
export function fillOf(mapping: Mapping, builder: ColumnBuilder, forms: CellForms, report: Report): Fill {
  switch (mapping.codec) {
    case 'line':
      return fillLines(builder as Int64Builder);
    case 'text':
      return fillText(builder as BytesBuilder, report);
    default:
      return fillParsed(builder, appenderOf(mapping, builder), rewriteOf(mapping, forms), report);
  }
}

function appenderOf(mapping: Mapping, builder: ColumnBuilder): AppendPlain {
  switch (mapping.codec) {
    case 'int16':
      return appendSmallInt(builder as NumberBuilder, 32_767);
    case 'int32':
      return appendSmallInt(builder as NumberBuilder, 2_147_483_647);
    case 'int64':
      return appendInt64(builder as Int64Builder);
    case 'float64':
      return appendFloat(builder as NumberBuilder);
    case 'decimal':
      return appendDecimal(builder as Decimal128Builder, mapping.precision, mapping.scale);
    case 'date':
      return appendDate(builder as NumberBuilder);
    case 'timestamp':
      return appendTimestamp(builder as Int64Builder);
    case 'bool':
      return appendBool(builder as BoolBuilder);
    default:
      return () => false;
  }
}

/** From the definition's own forms to the usual one. */
function rewriteOf(mapping: Mapping, forms: CellForms): (text: string) => string {
  if (mapping.codec === 'bool') {
    const texts = new Map([
      ...forms.trueTexts.map((text) => [text, 'true'] as const),
      ...forms.falseTexts.map((text) => [text, 'false'] as const),
    ]);
    return (text) => texts.get(text) ?? text.toLowerCase();
  }
  const isTime = ['date', 'time', 'timestamp', 'timestamptz'].includes(mapping.codec);
  return isTime ? rewriterOf(mapping.codec, forms.dateFormats) : (text) => text;
}

function fillParsed(
  builder: ColumnBuilder,
  appendPlain: AppendPlain,
  rewrite: (text: string) => string,
  report: Report,
): Fill {
  const appendText = textAppender(builder.type, builder);
  return ({ source, starts, lengths, first, count }) => {
    const { bytes } = source;
    for (let cell = first; cell < first + count; cell++) {
      const length = lengths[cell]!;
      if (length === NULL_LENGTH) {
        builder.appendNull();
        continue;
      }
      const start = starts[cell]!;
      if (appendPlain(bytes, start, length)) continue;
      const problem = appendText(rewrite(textOf(bytes, start, length)));
      if (problem !== undefined) report(builder.length - 1, problem);
    }
  };
}

/** For a parser only: bytes that are no text have no form that it knows. */
function textOf(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

function isWord(word: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (length !== word.length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

function appendBool(builder: BoolBuilder): AppendPlain {
  return (bytes, start, length) => {
    const isTrue = isWord(TRUE, bytes, start, length);
    const isBool = isTrue || isWord(FALSE, bytes, start, length);
    if (isBool) builder.append(isTrue);
    return isBool;
  };
}

function fillText(builder: BytesBuilder, report: Report): Fill {
  return ({ source, starts, lengths, first, count, clean }) => {
    for (let cell = first; cell < first + count; cell++) {
      const length = lengths[cell]!;
      const start = starts[cell]!;
      if (length === NULL_LENGTH) builder.appendNull();
      else if (clean || isText(source.bytes, start, length)) builder.append(source, start, length);
      else {
        builder.appendNull();
        report(builder.length - 1, 'INVALID_TEXT');
      }
    }
  };
}

const REPLACEMENT = Buffer.from('\uFFFD');

/**
 * Valid UTF-8, no NUL (which no text type of a database holds), and no replacement character: that stands where bytes
 * were none of the file's encoding, or where somebody before us had lost them.
 */
export function isText(bytes: Uint8Array, start: number, length: number): boolean {
  const cell = Buffer.from(bytes.buffer, bytes.byteOffset + start, length);
  return isUtf8(cell) && !cell.includes(0) && !cell.includes(REPLACEMENT);
}

const LOW_BITS = 4_294_967_296;

function fillLines(builder: Int64Builder): Fill {
  return ({ lines, firstRow, count }: Cells) => {
    for (let row = firstRow; row < firstRow + count; row++) {
      builder.append(Math.floor(lines[row]! / LOW_BITS), lines[row]! >>> 0);
    }
  };
}
