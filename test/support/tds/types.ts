/**
 * SQL Server's column types on the wire ([MS-TDS] 2.2.5.4 "Data Type Definitions", 2.2.5.5 "Data Type Details").
 * Every value is given as text, as SQL Server would show it; the arithmetic is BigInt's and shares nothing with ours.
 */
import { counted, unsigned, utf16 } from './bytes.ts';

export interface TdsType {
  /** TYPE_INFO. */
  info: Buffer;
  /** How a null looks in a ROW; absent where the type has none. */
  nullCell?: Buffer;
  /** TEXT, NTEXT and IMAGE name their table in COLMETADATA. */
  namesTable?: boolean;
  cell(value: string): Buffer;
}

/** LCID 0x0409, no sort id: Latin1_General, code page 1252. */
export const latin1 = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x00]);
/** LCID 0x0804: Chinese_PRC, code page 936. */
export const chinesePrc = Buffer.from([0x04, 0x08, 0xd0, 0x00, 0x00]);
/** Latin1_General_100_CI_AS_SC_UTF8: the UTF-8 flag is bit 26. */
export const utf8Collation = Buffer.from([0x09, 0x04, 0xd0, 0x24, 0x00]);

const NULL_BYTE = unsigned(1, 0);
const NULL_SHORT = unsigned(2, 0xffff);
const NULL_PLP = Buffer.alloc(8, 0xff);
const DAY_MS = 86_400_000;

export function integer(bytes: 1 | 2 | 4 | 8): TdsType {
  return byteCounted([0x26, bytes], (value) => unsigned(bytes, BigInt(value)));
}

export function bit(): TdsType {
  return byteCounted([0x68, 1], (value) => unsigned(1, Number(value)));
}

export function real(): TdsType {
  return byteCounted([0x6d, 4], (value) => {
    const out = Buffer.alloc(4);
    out.writeFloatLE(Number(value));
    return out;
  });
}

export function float(): TdsType {
  return byteCounted([0x6d, 8], (value) => {
    const out = Buffer.alloc(8);
    out.writeDoubleLE(Number(value));
    return out;
  });
}

/** The types of columns that are NOT NULL: no length before the value. */
export function fixed(id: number, nullable: TdsType): TdsType {
  return { info: Buffer.from([id]), cell: (value) => nullable.cell(value).subarray(1) };
}

export function decimal(precision: number, scale: number): TdsType {
  const bytes = precision <= 9 ? 4 : precision <= 19 ? 8 : precision <= 28 ? 12 : 16;
  return byteCounted([0x6a, bytes + 1, precision, scale], (value) => {
    const number = unscaled(value, scale);
    return Buffer.concat([unsigned(1, value.startsWith('-') ? 0 : 1), unsigned(bytes, number < 0n ? -number : number)]);
  });
}

/** A synonym with an id of its own. */
export function numeric(precision: number, scale: number): TdsType {
  const { info, ...rest } = decimal(precision, scale);
  return { ...rest, info: Buffer.concat([unsigned(1, 0x6c), info.subarray(1)]) };
}

export function money(): TdsType {
  return byteCounted([0x6e, 8], (value) => {
    const number = unscaled(value, 4);
    return Buffer.concat([unsigned(4, number >> 32n), unsigned(4, number & 0xffff_ffffn)]);
  });
}

export function smallMoney(): TdsType {
  return byteCounted([0x6e, 4], (value) => unsigned(4, unscaled(value, 4)));
}

export function date(): TdsType {
  return byteCounted([0x28], (value) => unsigned(3, daysSinceYear1(value)));
}

export function time(scale: number): TdsType {
  return byteCounted([0x29, scale], (value) => unsigned(timeBytes(scale), ticks(value, scale)));
}

export function datetime2(scale: number): TdsType {
  return byteCounted([0x2a, scale], (value) => {
    const [day = '', clock = ''] = value.split(' ');
    return Buffer.concat([unsigned(timeBytes(scale), ticks(clock, scale)), unsigned(3, daysSinceYear1(day))]);
  });
}

/** `2024-01-02 03:04:05.1234567 +08:00`; UTC on the wire. */
export function datetimeOffset(scale: number): TdsType {
  return byteCounted([0x2b, scale], (value) => {
    const [day = '', clock = '', zone = ''] = value.split(' ');
    const minutes = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
    const unit = 10n ** BigInt(scale);
    const dayTicks = 86_400n * unit;
    const local = BigInt(daysSinceYear1(day)) * dayTicks + ticks(clock, scale);
    const utc = local - BigInt(minutes) * 60n * unit;
    return Buffer.concat([
      unsigned(timeBytes(scale), utc % dayTicks),
      unsigned(3, utc / dayTicks),
      unsigned(2, minutes),
    ]);
  });
}

/** Ticks of 1/300 s; the text has milliseconds that end in 0, 3 or 7. */
export function datetime(): TdsType {
  return byteCounted([0x6f, 8], (value) => {
    const [day = '', clock = ''] = value.split(' ');
    const threeHundredths = (ticks(clock, 3) * 3n + 5n) / 10n;
    return Buffer.concat([unsigned(4, daysSinceYear1(day) - 693_595), unsigned(4, threeHundredths)]);
  });
}

export function smallDatetime(): TdsType {
  return byteCounted([0x6f, 4], (value) => {
    const [day = '', clock = ''] = value.split(' ');
    return Buffer.concat([unsigned(2, daysSinceYear1(day) - 693_595), unsigned(2, ticks(clock, 0) / 60n)]);
  });
}

/** The first three fields are little-endian. */
export function uniqueidentifier(): TdsType {
  return byteCounted([0x24, 16], (value) => {
    const hex = Buffer.from(value.replaceAll('-', ''), 'hex');
    return Buffer.concat([
      hex.subarray(0, 4).reverse(),
      hex.subarray(4, 6).reverse(),
      hex.subarray(6, 8).reverse(),
      hex.subarray(8),
    ]);
  });
}

export function nvarchar(length: number | 'max', chunkBytes = 8000): TdsType {
  if (length === 'max') return chunked([0xe7, 0xff, 0xff, ...latin1], chunkBytes, utf16);
  return shortCounted([0xe7, ...unsigned(2, length * 2), ...latin1], utf16);
}

export function nchar(length: number): TdsType {
  return shortCounted([0xef, ...unsigned(2, length * 2), ...latin1], (value) => utf16(value.padEnd(length)));
}

/** `bytes` encodes into the collation's code page; the default is good for ASCII and U+00A0 to U+00FF. */
export function varchar(
  length: number | 'max',
  collation = latin1,
  bytes: (value: string) => Buffer = (value) => Buffer.from(value, 'latin1'),
  chunkBytes = 8000,
): TdsType {
  if (length === 'max') return chunked([0xa7, 0xff, 0xff, ...collation], chunkBytes, bytes);
  return shortCounted([0xa7, ...unsigned(2, length), ...collation], bytes);
}

export function char(length: number): TdsType {
  return shortCounted([0xaf, ...unsigned(2, length), ...latin1], (value) =>
    Buffer.from(value.padEnd(length), 'latin1'),
  );
}

/** Values of the binary types are text such as `0x00ff`. */
export function varbinary(length: number | 'max', chunkBytes = 8000): TdsType {
  if (length === 'max') return chunked([0xa5, 0xff, 0xff], chunkBytes, hexBytes);
  return shortCounted([0xa5, ...unsigned(2, length)], hexBytes);
}

export function binary(length: number): TdsType {
  return shortCounted([0xad, ...unsigned(2, length)], hexBytes);
}

export function xml(): TdsType {
  return chunked([0xf1, 0], 8000, utf16);
}

export function text(): TdsType {
  return pointed([0x23, 0xff, 0xff, 0xff, 0x7f, ...latin1], (value) => Buffer.from(value, 'latin1'));
}

export function ntext(): TdsType {
  return pointed([0x63, 0xfe, 0xff, 0xff, 0x7f, ...latin1], utf16);
}

export function image(): TdsType {
  return pointed([0x22, 0xff, 0xff, 0xff, 0x7f], hexBytes);
}

/** A value is `type|text`, its type one of `variants`. */
export function sqlVariant(): TdsType {
  return {
    info: Buffer.from([0x62, ...unsigned(4, 8009)]),
    nullCell: unsigned(4, 0),
    cell: (value) => {
      const bar = value.indexOf('|');
      const body = variantBody(value.slice(0, bar), value.slice(bar + 1));
      return counted(4, body);
    },
  };
}

/** [MS-TDS] 2.2.5.5.4: base type, count of property bytes, the properties, the value without its length. */
function variantBody(type: string, value: string): Buffer {
  const base = (id: number, properties: Iterable<number>, cell: Buffer) => {
    const header = Buffer.from([...properties]);
    return Buffer.concat([Buffer.from([id, header.length]), header, cell]);
  };
  const [name = '', argument = '0', second = '0'] = type.split(/[(),]/);
  const precision = Number(argument);
  switch (name) {
    case 'tinyint':
      return base(0x30, [], integer(1).cell(value).subarray(1));
    case 'smallint':
      return base(0x34, [], integer(2).cell(value).subarray(1));
    case 'int':
      return base(0x38, [], integer(4).cell(value).subarray(1));
    case 'bigint':
      return base(0x7f, [], integer(8).cell(value).subarray(1));
    case 'bit':
      return base(0x32, [], bit().cell(value).subarray(1));
    case 'real':
      return base(0x3b, [], real().cell(value).subarray(1));
    case 'float':
      return base(0x3e, [], float().cell(value).subarray(1));
    case 'money':
      return base(0x3c, [], money().cell(value).subarray(1));
    case 'smallmoney':
      return base(0x7a, [], smallMoney().cell(value).subarray(1));
    case 'decimal':
    case 'numeric':
      return base(
        name === 'decimal' ? 0x6a : 0x6c,
        [precision, Number(second)],
        decimal(precision, Number(second)).cell(value).subarray(1),
      );
    case 'date':
      return base(0x28, [], date().cell(value).subarray(1));
    case 'time':
      return base(0x29, [precision], time(precision).cell(value).subarray(1));
    case 'datetime2':
      return base(0x2a, [precision], datetime2(precision).cell(value).subarray(1));
    case 'datetimeoffset':
      return base(0x2b, [precision], datetimeOffset(precision).cell(value).subarray(1));
    case 'datetime':
      return base(0x3d, [], datetime().cell(value).subarray(1));
    case 'smalldatetime':
      return base(0x3a, [], smallDatetime().cell(value).subarray(1));
    case 'uniqueidentifier':
      return base(0x24, [], uniqueidentifier().cell(value).subarray(1));
    case 'nchar':
    case 'nvarchar':
      return base(name === 'nchar' ? 0xef : 0xe7, [...latin1, ...unsigned(2, 8000)], utf16(value));
    case 'char':
    case 'varchar':
      return base(name === 'char' ? 0xaf : 0xa7, [...latin1, ...unsigned(2, 8000)], Buffer.from(value, 'latin1'));
    case 'binary':
    case 'varbinary':
      return base(name === 'binary' ? 0xad : 0xa5, unsigned(2, 8000), hexBytes(value));
    default:
      throw new Error(`the test server has no sql_variant of ${type}`);
  }
}

function byteCounted(info: number[], encode: (value: string) => Buffer): TdsType {
  return { info: Buffer.from(info), nullCell: NULL_BYTE, cell: (value) => counted(1, encode(value)) };
}

function shortCounted(info: Iterable<number>, encode: (value: string) => Buffer): TdsType {
  return { info: Buffer.from([...info]), nullCell: NULL_SHORT, cell: (value) => counted(2, encode(value)) };
}

/** Text pointer (16 bytes), timestamp (8), then a length of four bytes. */
function pointed(info: number[], encode: (value: string) => Buffer): TdsType {
  const pointer = Buffer.concat([unsigned(1, 16), Buffer.alloc(24)]);
  return {
    info: Buffer.from(info),
    nullCell: NULL_BYTE,
    namesTable: true,
    cell: (value) => Buffer.concat([pointer, counted(4, encode(value))]),
  };
}

/** Partially length-prefixed bytes ([MS-TDS] 2.2.5.2.3): total length, chunks, an empty chunk. */
function chunked(info: number[], chunkBytes: number, encode: (value: string) => Buffer): TdsType {
  return {
    info: Buffer.from(info),
    nullCell: NULL_PLP,
    cell: (value) => {
      const bytes = encode(value);
      const chunks = [unsigned(8, bytes.length)];
      for (let at = 0; at < bytes.length; at += chunkBytes)
        chunks.push(counted(4, bytes.subarray(at, at + chunkBytes)));
      return Buffer.concat([...chunks, unsigned(4, 0)]);
    },
  };
}

function hexBytes(value: string): Buffer {
  return Buffer.from(value.slice(2), 'hex');
}

function unscaled(value: string, scale: number): bigint {
  const [whole = '', fraction = ''] = value.replace('-', '').split('.');
  const number = BigInt(whole + fraction.padEnd(scale, '0'));
  return value.startsWith('-') ? -number : number;
}

function timeBytes(scale: number): number {
  return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}

function ticks(clock: string, scale: number): bigint {
  const [hours = '0', minutes = '0', seconds = '0'] = clock.split(':');
  const [whole = '0', fraction = ''] = seconds.split('.');
  const total = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(whole);
  return total * 10n ** BigInt(scale) + BigInt(fraction.padEnd(scale, '0').slice(0, scale) || '0');
}

function daysSinceYear1(day: string): number {
  const epoch = Date.parse('0001-01-01T00:00:00Z');
  return (Date.parse(`${day}T00:00:00Z`) - epoch) / DAY_MS;
}
