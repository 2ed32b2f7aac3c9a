/** The masks (docs/reference/policies.md), compiled for a column's type. Each makes a whole column from a whole column. */
import { type Data, DataType, Field, Precision, Utf8 } from 'apache-arrow';
import { builderFor } from '../../../columnar/builders/index.ts';
import { boundsOf, rankAmong } from '../../../columnar/order.ts';
import {
  type KeptEnds,
  repeatedBool,
  repeatedNumber,
  repeatedText,
  starText,
  textColumn,
} from '../../../columnar/rewrite.ts';
import { cellImage } from '../../../contracts/image.ts';
import { HEX_BYTES, keyedHasher } from './keyed-hash.ts';
import { bindLiteral, policyInvalid } from './literals.ts';
import type { CompiledMask, Mask } from './policy.ts';
import { truncateMask } from './truncate.ts';

/**
 * @param key of the grantee's keyed hashes
 * @throws POLICY_INVALID where the mask does not fit the column's type
 */
export function compileMask(mask: Mask, field: Field, key: Uint8Array | null, pointer: string): CompiledMask {
  switch (mask.mask) {
    case 'drop':
      throw policyInvalid('a dropped column is not masked as well', pointer);
    case 'constant':
      return constantMask(field, mask.value, `${pointer}/value`);
    case 'partial': {
      requireText(field, 'partial', pointer);
      const kept = shapes[mask.shape];
      return { field: asText(field), apply: (data) => starText(data, kept) };
    }
    case 'keyed-hash':
      return hashMask(field, key, pointer);
    case 'truncate':
      return truncateMask(field, mask, pointer);
    case 'bucket':
      return bucketMask(field, mask.bounds, pointer);
  }
}

/** Short texts of a shape are starred out whole: what is left must not be most of it. */
const shapes: Record<'name' | 'id-number' | 'phone', KeptEnds> = {
  name: { hidden: 1, head: 1, tail: 0 },
  'id-number': { hidden: 7, head: 3, tail: 4 },
  phone: { hidden: 7, head: 3, tail: 4 },
};

/** The masked column is text: what the original type's metadata said of it no longer holds. */
function asText(field: Field): Field {
  return new Field(field.name, new Utf8(), field.nullable);
}

function isText({ type }: Field): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type);
}

function requireText(field: Field, mask: string, pointer: string): void {
  if (!isText(field)) throw policyInvalid(`the mask ${mask} is for text`, pointer);
}

function constantMask(field: Field, value: string | number | boolean | undefined, pointer: string): CompiledMask {
  const { type } = field;
  if (value === undefined) return { field: nullable(field), apply: (data) => nulls(data) };
  if (isText(field) && typeof value === 'string') {
    const bytes = Buffer.from(value);
    return { field: asText(field), apply: (data) => repeatedText(data.length, bytes) };
  }
  if (DataType.isBool(type) && typeof value === 'boolean') {
    return { field, apply: (data) => repeatedBool(type, data.length, value) };
  }
  const narrow = (DataType.isInt(type) && type.bitWidth <= 32) || (DataType.isFloat(type) && !isHalf(type));
  if (narrow && typeof value === 'number' && repeatedNumber(type, 1, value).values[0] === value) {
    return { field, apply: (data) => repeatedNumber(type, data.length, value) };
  }
  throw policyInvalid('the constant does not fit the column; without a value it is null', pointer);
}

function isHalf(type: DataType): boolean {
  return DataType.isFloat(type) && type.precision === Precision.HALF;
}

function nullable(field: Field): Field {
  return new Field(field.name, field.type, true, field.metadata);
}

function nulls(data: Data): Data {
  const builder = builderFor(data.type);
  for (let row = 0; row < data.length; row++) builder.appendNull();
  return builder.finish();
}

/** Over the cell's text, as JSON lines have it: an identifier hashes alike, whatever type a dataset keeps it in. */
function hashMask(field: Field, key: Uint8Array | null, pointer: string): CompiledMask {
  const image = cellImage(field);
  const hashable = image !== null && (image.jsonType === 'string' || image.jsonType === 'integer');
  if (!hashable) throw policyInvalid('the mask keyed-hash is for texts, identifiers, whole numbers and dates', pointer);
  if (key === null) throw policyInvalid('there is no key for keyed hashes', pointer);
  const hashed = keyedHasher(key);
  const messageOf = isText(field)
    ? textBytes
    : (data: Data) => (row: number) => Buffer.from(String(image.value(data, row)));
  const apply = (data: Data): Data => {
    const message = messageOf(data);
    return textColumn(data, data.length * HEX_BYTES, (target, at, row) => {
      const hex = hashed(message(row));
      for (let i = 0; i < HEX_BYTES; i++) target[at + i] = hex.charCodeAt(i);
      return at + HEX_BYTES;
    });
  };
  return { field: asText(field), apply };
}

function textBytes(data: Data): (row: number) => Uint8Array {
  const bounds = boundsOf(data);
  return (row) => data.values.subarray(bounds(row), bounds(row + 1));
}

/** `<18`, `18–60`, `≥60`: the lower bound belongs to its bucket. NaN is in the last, behind every number. */
function bucketMask(field: Field, bounds: number[], pointer: string): CompiledMask {
  const { type } = field;
  if (!DataType.isInt(type) && !DataType.isFloat(type) && !DataType.isDecimal(type)) {
    throw policyInvalid('the mask bucket is for numbers', pointer);
  }
  if (bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1]!)) {
    throw policyInvalid('the bounds of buckets ascend', `${pointer}/bounds`);
  }
  const literals = bounds.map((bound, i) => bindLiteral(field, bound, `${pointer}/bounds/${i}`));
  const labels = [
    `<${bounds[0]}`,
    ...bounds.map((low, i) => (i + 1 < bounds.length ? `${low}–${bounds[i + 1]}` : `≥${low}`)),
  ];
  const texts = labels.map((label) => Buffer.from(label));
  const longest = Math.max(...texts.map((text) => text.length));
  const apply = (data: Data): Data => {
    const orders = literals.map((literal) => literal.order(data));
    return textColumn(data, data.length * longest, (target, at, row) => {
      const text = texts[rankAmong(orders, row)]!;
      target.set(text, at);
      return at + text.length;
    });
  };
  return { field: asText(field), apply };
}
