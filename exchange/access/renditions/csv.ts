/**
 * CSV after RFC 4180: a header line, CRLF, quotes where they are needed. Null is an empty field, the empty string is
 * `""`. Lists and structs are their JSON text.
 *
 * A text cell that a spreadsheet would take for a formula (it begins with = + - @, as Chinese input methods write them
 * too, with tab or a line's end) gets an apostrophe in front; numbers, dates and times keep their signs, because their column says what they are. Who needs
 * the exact text reads Arrow or JSON lines.
 */
import { type Data, type Field, type Schema, Type } from 'apache-arrow';
import { type CellImage, cellImages } from '../../../contracts/image.ts';
import type { LineFormat } from './text.ts';

export interface CsvOptions {
  /** Begin with U+FEFF, by which Excel knows UTF-8. */
  byteOrderMark?: boolean;
}

const FORMULA_START = /^[=+\-@＝＋－＠\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^$/;
const CRLF = '\r\n';
const BYTE_ORDER_MARK = '\uFEFF';

/** @throws TYPE_UNMAPPED for a column that has no text */
export function csvFormat(schema: Schema, { byteOrderMark = false }: CsvOptions = {}): LineFormat {
  const writers = cellWriters(schema);
  const header = schema.fields.map((field) => quoted(neutral(field.name))).join(',');
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    start: `${byteOrderMark ? BYTE_ORDER_MARK : ''}${header}${CRLF}`,
    line(columns, row) {
      let line = '';
      for (let i = 0; i < writers.length; i++) {
        const data = columns[i]!;
        if (i > 0) line += ',';
        if (data.getValid(row)) line += writers[i]!(data, row);
      }
      return line + CRLF;
    },
  };
}

type CellWriter = (data: Data, row: number) => string;

function cellWriters(schema: Schema): CellWriter[] {
  return cellImages(schema).map((image, i) => cellWriter(schema.fields[i]!, image));
}

function cellWriter(field: Field, image: CellImage): CellWriter {
  if (isText(field)) return (data, row) => quoted(neutral(String(image.value(data, row))));
  if (image.jsonType === 'string') return (data, row) => quoted(String(image.value(data, row)));
  if (image.jsonType === 'array' || image.jsonType === 'object') return (data, row) => quoted(image.text(data, row));
  // A float's NaN and infinities are JSON strings; their quotes are JSON's, not CSV's.
  return (data, row) => image.text(data, row).replaceAll('"', '');
}

/** Cells whose first character anybody may have chosen; base64 may begin with a plus. */
function isText({ type }: Field): boolean {
  return [Type.Utf8, Type.LargeUtf8, Type.Binary, Type.LargeBinary, Type.FixedSizeBinary].includes(type.typeId);
}

function neutral(text: string): string {
  return FORMULA_START.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
