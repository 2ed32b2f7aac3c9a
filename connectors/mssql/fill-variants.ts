/**
 * sql_variant ([MS-TDS] 2.2.5.5.4): each cell names its own type. It becomes the name and the value's exact text, as
 * CONVERT would give it (style 121 for dates, 1 for binary; floats in the shortest form that reads back the same).
 */
import type { BytesBuilder, StructBuilder } from '../../columnar/builders/index.ts';
import { encodingOfCollation } from './encodings.ts';
import { type Report, uuidOrder } from './fill-bytes.ts';
import type { Fill } from './fill-numbers.ts';
import { timeBytes } from './fill-times.ts';
import { ids } from './wire-types.ts';

const DAY_MS = 86_400_000;
const YEAR_1_MS = Date.parse('0001-01-01T00:00:00Z');
const YEAR_1900_MS = Date.parse('1900-01-01T00:00:00Z');
const encoder = new TextEncoder();

interface Variant {
  type: string;
  text: string;
}

export function fillVariants(builder: StructBuilder, report: Report): Fill {
  const types = builder.children[0] as BytesBuilder;
  const texts = builder.children[1] as BytesBuilder;
  return (scanned, column) => {
    const { window, offsets, columns, rows } = scanned;
    for (let row = 0, i = column; row < rows; row++, i += columns) {
      const at = offsets[i] as number;
      const length = window.view.getUint32(at, true);
      if (length === 0) {
        builder.appendNull();
        continue;
      }
      const variant = readVariant(window.bytes.subarray(at + 4, at + 4 + length));
      if (variant === undefined) {
        builder.appendNull();
        report(builder.length - 1, 'INVALID_TEXT');
        continue;
      }
      appendText(types, variant.type);
      appendText(texts, variant.text);
      builder.appendStruct();
    }
  };
}

function appendText(builder: BytesBuilder, text: string): void {
  builder.reserveBytes(text.length * 3);
  builder.dataLength += encoder.encodeInto(text, builder.data.subarray(builder.dataLength)).written;
  builder.endCell();
}

/** Undefined for text that is none. */
function readVariant(body: Buffer): Variant | undefined {
  const id = body[0] as number;
  const count = body[1] as number;
  const properties = body.subarray(2, 2 + count);
  const value = body.subarray(2 + count);
  return (
    numberVariant(id, properties, value) ?? timeVariant(id, properties, value) ?? otherVariant(id, properties, value)
  );
}

function numberVariant(id: number, properties: Buffer, value: Buffer): Variant | undefined {
  switch (id) {
    case ids.int1:
      return { type: 'tinyint', text: String(value.readUInt8()) };
    case ids.int2:
      return { type: 'smallint', text: String(value.readInt16LE()) };
    case ids.int4:
      return { type: 'int', text: String(value.readInt32LE()) };
    case ids.int8:
      return { type: 'bigint', text: String(value.readBigInt64LE()) };
    case ids.bit:
      return { type: 'bit', text: value[0] === 0 ? '0' : '1' };
    case ids.float4:
      return { type: 'real', text: shortestReal(value.readFloatLE()) };
    case ids.float8:
      return { type: 'float', text: String(value.readDoubleLE()) };
    case ids.money4:
      return { type: 'smallmoney', text: decimalText(BigInt(value.readInt32LE()), 4) };
    case ids.money8:
      return {
        type: 'money',
        text: decimalText((BigInt(value.readInt32LE()) << 32n) | BigInt(value.readUInt32LE(4)), 4),
      };
    case ids.decimalN:
    case ids.numericN: {
      const [precision = 0, scale = 0] = properties;
      const name = id === ids.decimalN ? 'decimal' : 'numeric';
      const magnitude = BigInt(`0x${Buffer.from(value.subarray(1)).reverse().toString('hex')}`);
      return {
        type: `${name}(${precision},${scale})`,
        text: decimalText(value[0] === 0 ? -magnitude : magnitude, scale),
      };
    }
    default:
      return undefined;
  }
}

function timeVariant(id: number, properties: Buffer, value: Buffer): Variant | undefined {
  const scale = properties[0] ?? 0;
  const size = timeBytes(scale);
  switch (id) {
    case ids.date:
      return { type: 'date', text: dayText(value.readUIntLE(0, 3)) };
    case ids.time:
      return { type: `time(${scale})`, text: clockText(value.readUIntLE(0, size), scale) };
    case ids.datetime2:
      return {
        type: `datetime2(${scale})`,
        text: `${dayText(value.readUIntLE(size, 3))} ${clockText(value.readUIntLE(0, size), scale)}`,
      };
    case ids.datetimeOffset:
      return { type: `datetimeoffset(${scale})`, text: offsetText(value, scale, size) };
    case ids.datetime: {
      const milliseconds = Math.round((value.readUInt32LE(4) * 10) / 3);
      return { type: 'datetime', text: dateTimeText(YEAR_1900_MS + value.readInt32LE() * DAY_MS + milliseconds, 23) };
    }
    case ids.smallDatetime: {
      const minutes = value.readUInt16LE(2);
      return {
        type: 'smalldatetime',
        text: dateTimeText(YEAR_1900_MS + value.readUInt16LE() * DAY_MS + minutes * 60_000, 19),
      };
    }
    default:
      return undefined;
  }
}

function otherVariant(id: number, properties: Buffer, value: Buffer): Variant | undefined {
  switch (id) {
    case ids.guid: {
      const hex = Buffer.from(uuidOrder.map((i) => value[i] as number))
        .toString('hex')
        .toUpperCase();
      const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
      return { type: 'uniqueidentifier', text: groups.join('-') };
    }
    case ids.bigVarBinary:
    case ids.bigBinary:
      return { type: id === ids.bigBinary ? 'binary' : 'varbinary', text: `0x${value.toString('hex').toUpperCase()}` };
    case ids.nvarchar:
    case ids.nchar: {
      const text = decoded(value, 'utf-16le');
      return text === undefined ? undefined : { type: id === ids.nchar ? 'nchar' : 'nvarchar', text };
    }
    case ids.bigVarChar:
    case ids.bigChar: {
      const text = decoded(value, encodingOfCollation(properties));
      return text === undefined ? undefined : { type: id === ids.bigChar ? 'char' : 'varchar', text };
    }
    default:
      throw new Error(`a sql_variant holds the wire type 0x${id.toString(16)}`);
  }
}

function decoded(bytes: Buffer, encoding: string | undefined): string | undefined {
  if (encoding === undefined) return undefined;
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The shortest decimal that reads back as the same 32-bit float. */
function shortestReal(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

function dayText(daysSinceYear1: number): string {
  return dateTimeText(YEAR_1_MS + daysSinceYear1 * DAY_MS, 10);
}

function clockText(ticks: number, scale: number): string {
  const unit = 10 ** scale;
  const seconds = Math.floor(ticks / unit);
  const fraction = scale === 0 ? '' : `.${String(ticks % unit).padStart(scale, '0')}`;
  return dateTimeText(seconds * 1000, 19).slice(11) + fraction;
}

/** The wire has UTC, the text local time. */
function offsetText(value: Buffer, scale: number, size: number): string {
  const unit = 10 ** scale;
  const ticks = value.readUIntLE(0, size);
  const minutes = value.readInt16LE(size + 3);
  const fraction = scale === 0 ? '' : `.${String(ticks % unit).padStart(scale, '0')}`;
  const seconds = Math.floor(ticks / unit) + minutes * 60;
  const local = dateTimeText(YEAR_1_MS + value.readUIntLE(size, 3) * DAY_MS + seconds * 1000, 19);
  const pad = (part: number) => String(part).padStart(2, '0');
  const distance = Math.abs(minutes);
  return `${local}${fraction} ${minutes < 0 ? '-' : '+'}${pad(Math.floor(distance / 60))}:${pad(distance % 60)}`;
}

/** The first `characters` of `YYYY-MM-DD hh:mm:ss.mmm`. */
function dateTimeText(milliseconds: number, characters: number): string {
  return new Date(milliseconds).toISOString().replace('T', ' ').slice(0, characters);
}
