/**
 * One decoder a codec: a cell's binary form, as its type's `*_send` function in src/backend/utils/adt writes it, into a
 * column builder.
 */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type {
  BoolBuilder,
  ByteSource,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  FixedSizeBinaryBuilder,
  Int64Builder,
  ListBuilder,
  NumberBuilder,
} from '../../columnar/builders/index.ts';
import { elementOf, type Mapping } from './types.ts';

type Problem = UnrepresentableCell['code'] | undefined;
/** Appends one cell that is not null and lies at `[at, at + length)`, or appends nothing and says why. */
export type Decode = (source: ByteSource, at: number, length: number) => Problem;

const DAYS_TO_2000 = 10_957;
const DATE_MIN = -719_162;
const DATE_MAX = 2_932_896;
const DAY_MICROSECONDS_HIGH = Math.floor(86_400_000_000 / 2 ** 32);
const DAY_MICROSECONDS_LOW = 86_400_000_000 % 2 ** 32;
const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;
const UINT32_MAX = 4_294_967_295;

/** The one switch from codec to decoder; the builder is the one that `arrowTypeOf` the mapping asks for. */
export function decoderOf(mapping: Mapping, builder: ColumnBuilder): Decode {
  switch (mapping.codec) {
    case 'bool':
      return decodeBool(builder as BoolBuilder);
    case 'int2':
      return decodeNumber(builder as NumberBuilder, (view, at) => view.getInt16(at));
    case 'int4':
      return decodeInt4(builder as NumberBuilder);
    case 'oid':
      return decodeNumber(builder as NumberBuilder, (view, at) => view.getUint32(at));
    case 'float4':
      return decodeNumber(builder as NumberBuilder, (view, at) => view.getFloat32(at));
    case 'float8':
      return decodeNumber(builder as NumberBuilder, (view, at) => view.getFloat64(at));
    case 'int8':
      return decodeInt8(builder as Int64Builder);
    case 'money':
      return decodeMoney(builder as Decimal128Builder);
    case 'numeric':
      return decodeNumeric(builder as Decimal128Builder);
    case 'text':
    case 'bytes':
      return decodeBytes(builder as BytesBuilder);
    case 'jsonb':
      return decodeJsonb(builder as BytesBuilder);
    case 'date':
      return decodeDate(builder as NumberBuilder);
    case 'time':
      return decodeTime(builder as Int64Builder);
    case 'timestamp':
    case 'timestamptz':
      return decodeTimestamp(builder as Int64Builder);
    case 'uuid':
      return decodeUuid(builder as FixedSizeBinaryBuilder);
    case 'list':
      return decodeArray(builder as ListBuilder, elementOf(mapping));
  }
}

function decodeBool(builder: BoolBuilder): Decode {
  return (source, at) => {
    builder.append(source.bytes[at] === 1);
    return undefined;
  };
}

function decodeNumber(builder: NumberBuilder, read: (view: DataView, at: number) => number): Decode {
  return (source, at) => {
    builder.append(read(source.view, at));
    return undefined;
  };
}

function decodeInt4(builder: NumberBuilder): Decode {
  return (source, at) => {
    builder.append(source.view.getInt32(at));
    return undefined;
  };
}

function decodeInt8(builder: Int64Builder): Decode {
  return (source, at) => {
    builder.append(source.view.getInt32(at), source.view.getInt32(at + 4));
    return undefined;
  };
}

/** cash_send: a 64-bit count of the smallest unit. */
function decodeMoney(builder: Decimal128Builder): Decode {
  return (source, at) => {
    builder.appendInt64(source.view.getInt32(at), source.view.getInt32(at + 4));
    return undefined;
  };
}

/** numeric_send: digit count, weight, sign, display scale, then digits in base 10000. */
function decodeNumeric(builder: Decimal128Builder): Decode {
  const NEGATIVE = 0x4000;
  const NAN = 0xc000;
  const digits = new Int16Array(32_768);
  return (source, at) => {
    const { view } = source;
    const count = view.getInt16(at);
    const sign = view.getUint16(at + 4);
    if (sign >= NAN) return sign === NAN ? 'NOT_A_NUMBER' : 'INFINITE';
    for (let i = 0; i < count; i++) digits[i] = view.getInt16(at + 8 + 2 * i);
    const fits = builder.appendBase10000(digits, count, view.getInt16(at + 2), sign === NEGATIVE);
    return fits ? undefined : 'OUT_OF_RANGE';
  };
}

function decodeBytes(builder: BytesBuilder): Decode {
  return (source, at, length) => {
    builder.append(source, at, length);
    return undefined;
  };
}

/** jsonb_send: a version byte, then the text. */
function decodeJsonb(builder: BytesBuilder): Decode {
  return (source, at, length) => {
    builder.append(source, at + 1, length - 1);
    return undefined;
  };
}

/** date_send: days since 2000-01-01; the extremes stand for infinity. */
function decodeDate(builder: NumberBuilder): Decode {
  return (source, at) => {
    const value = source.view.getInt32(at);
    if (value === INT32_MAX || value === INT32_MIN) return 'INFINITE';
    const days = value + DAYS_TO_2000;
    if (days < DATE_MIN || days > DATE_MAX) return 'OUT_OF_RANGE';
    builder.append(days);
    return undefined;
  };
}

/** time_send: microseconds since midnight. 24:00:00 is legal there, and not in Arrow. */
function decodeTime(builder: Int64Builder): Decode {
  return (source, at) => {
    const high = source.view.getInt32(at);
    const low = source.view.getUint32(at + 4);
    if (high === DAY_MICROSECONDS_HIGH && low >= DAY_MICROSECONDS_LOW) return 'OUT_OF_RANGE';
    builder.append(high, low);
    return undefined;
  };
}

/** timestamp_send: microseconds since 2000-01-01; the extremes stand for infinity. */
function decodeTimestamp(builder: Int64Builder): Decode {
  const [epochHigh, epochLow] = halves(946_684_800_000_000n);
  const [minHigh, minLow] = halves(-62_135_596_800_000_000n);
  const [maxHigh, maxLow] = halves(253_402_300_799_999_999n);
  return (source, at) => {
    const high2000 = source.view.getInt32(at);
    const low2000 = source.view.getUint32(at + 4);
    if (high2000 === INT32_MAX && low2000 === UINT32_MAX) return 'INFINITE';
    if (high2000 === INT32_MIN && low2000 === 0) return 'INFINITE';
    const sum = low2000 + epochLow;
    const carry = sum > UINT32_MAX ? 1 : 0;
    const low = sum >>> 0;
    const high = high2000 + epochHigh + carry;
    if (high <= minHigh && (high < minHigh || low < minLow)) return 'OUT_OF_RANGE';
    if (high >= maxHigh && (high > maxHigh || low > maxLow)) return 'OUT_OF_RANGE';
    builder.append(high, low);
    return undefined;
  };
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(value >> 32n), Number(value & 0xffffffffn)];
}

function decodeUuid(builder: FixedSizeBinaryBuilder): Decode {
  return (source, at) => {
    builder.append(source, at);
    return undefined;
  };
}

/** array_send: dimensions, a flag, element type, then per dimension its size and lower bound, then the elements. */
function decodeArray(builder: ListBuilder, element: Mapping): Decode {
  const HEADER_BYTES = 12;
  const decode = decoderOf(element, builder.elements);
  return (source, start) => {
    const { view } = source;
    const dimensions = view.getInt32(start);
    if (dimensions > 1) return 'OUT_OF_RANGE';
    let count = 0;
    if (dimensions === 1) {
      count = view.getInt32(start + HEADER_BYTES);
      if (view.getInt32(start + HEADER_BYTES + 4) !== 1) return 'OUT_OF_RANGE';
    }
    let at = start + HEADER_BYTES + 8 * dimensions;
    for (let i = 0; i < count; i++) {
      const length = view.getInt32(at);
      at += 4;
      if (length === -1) {
        builder.elements.appendNull();
        continue;
      }
      const problem = decode(source, at, length);
      if (problem !== undefined) {
        builder.abandonList();
        return problem;
      }
      at += length;
    }
    builder.appendList();
    return undefined;
  };
}
