/**
 * Keys of look-ups: the same text from a stored row and from what a caller writes. The text is the cell as JSON lines
 * have it, without quotes; of a key of several columns, the JSON array of them. Only hashes of it are kept anywhere.
 */
import { type Data, DataType, Schema } from 'apache-arrow';
import { type CellImage, cellImage, isUuid } from '../../../contracts/image.ts';
import { HuitongError } from '../../../lib/errors.ts';

export type KeyDocument = Record<string, unknown>;

export interface KeyReader {
  /** Of the key's columns, in the contract's order. */
  schema: Schema;
  /** @param columns those of `schema`, in its order */
  ofColumns(columns: readonly Data[], row: number): string;
  /**
   * @throws REQUEST_INVALID where a column is missing, unknown or of another type; ID_MUST_BE_STRING for a number
   * where text is kept, or one that has lost digits; with the pointer, never the value
   */
  ofDocument(document: KeyDocument, pointer: string): string;
}

/** @throws LOOKUP_UNSUPPORTED where the version lacks a key column, or it is of a type that keys are not looked up by */
export function keyReader(key: string[], schema: Schema): KeyReader {
  const columns = key.map((name) => columnOf(schema, name));
  if (columns.length === 0) throw unsupported('数据契约没有主键 · the contract names no key');
  const known = new Set(key);
  return {
    schema: new Schema(columns.map(({ field }) => field)),
    ofColumns: (data, row) => joined(columns.map(({ image }, c) => cellText(image, data[c]!, row))),
    ofDocument(document, pointer) {
      // A member that is not a column is not repeated: it may be the caller's value in the wrong place.
      if (Object.keys(document).some((name) => !known.has(name))) {
        throw new HuitongError(
          'REQUEST_INVALID',
          `主键恰由这些列组成：${key.join(', ')} · a key has these columns and no other: ${key.join(', ')}`,
          {
            pointer,
          },
        );
      }
      return joined(columns.map(({ field, parse }) => parse(document[field.name], pointerOf(pointer, field.name))));
    },
  };
}

export interface ValueReader {
  ofCell(data: Data, row: number): string;
  parse(value: unknown, pointer: string): string;
}

/** One column of text, whole numbers, days or UUIDs. Throws as `keyReader` and `ofDocument` do. */
export function valueReader(schema: Schema, name: string): ValueReader {
  const { image, parse } = columnOf(schema, name);
  return { parse, ofCell: (data, row) => cellText(image, data, row) };
}

type Parse = (value: unknown, pointer: string) => string;

function columnOf(schema: Schema, name: string) {
  const field = schema.fields.find((one) => one.name === name);
  const image = field === undefined ? null : cellImage(field);
  if (field === undefined || image === null)
    throw unsupported(
      `该版本没有主键列 ${JSON.stringify(name)} · the version has no key column ${JSON.stringify(name)}`,
    );
  const { type } = field;
  const whole = DataType.isInt(type) || (DataType.isDecimal(type) && type.scale === 0);
  const textual = DataType.isUtf8(type) || DataType.isDate(type) || isUuid(field);
  if (!whole && !textual)
    throw unsupported(`类型为 ${type} 的列不能用于查询 · keys are not looked up by columns of the type ${type}`);
  const parse: Parse = whole ? wholeText : (value, pointer) => stringText(value, pointer, isUuid(field));
  return { field, image, parse };
}

function cellText(image: CellImage, data: Data, row: number): string {
  if (!data.getValid(row)) return '';
  return image.jsonType === 'string' ? String(image.value(data, row)) : image.text(data, row);
}

function stringText(value: unknown, pointer: string, uuid: boolean): string {
  if (typeof value === 'number') throw mustBeString(pointer);
  if (typeof value !== 'string') throw needed({ zh: '文本', en: 'text' }, pointer);
  return uuid ? value.toLowerCase() : value;
}

const WHOLE = /^(0|-?[1-9]\d{0,37})$/;

function wholeText(value: unknown, pointer: string): string {
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw mustBeString(pointer);
  const text = typeof value === 'number' ? String(value + 0) : value;
  if (typeof text !== 'string' || !WHOLE.test(text))
    throw needed({ zh: '整数', en: 'a whole number, or its decimal text' }, pointer);
  return text;
}

function joined(texts: string[]): string {
  return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts);
}

function mustBeString(pointer: string): HuitongError {
  return new HuitongError('ID_MUST_BE_STRING', '证件号须写作文本 · an identifier is written as text', { pointer });
}

function needed({ zh, en }: { zh: string; en: string }, pointer: string): HuitongError {
  return new HuitongError(
    'REQUEST_INVALID',
    `须给出完整主键，此列应为${zh} · the whole key is needed; this column is ${en}`,
    { pointer },
  );
}

function unsupported(message: string): HuitongError {
  return new HuitongError('LOOKUP_UNSUPPORTED', message);
}

function pointerOf(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
