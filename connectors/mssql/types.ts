/**
 * SQL Server's types and what becomes of each: read natively, converted to exact text by the server, or refused by name.
 * docs/reference/sql-server-types.md is made from `typeTable`; a test keeps them equal.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Struct,
  TimeNanosecond,
  TimestampMicrosecond,
  Uint8,
  Utf8,
} from 'apache-arrow';
import type { TypeTable, TypeWish } from '../columns.ts';
import { encodingOfCodePage } from './encodings.ts';

/** How a cell's bytes are decoded. */
export type Codec =
  | 'bigint'
  | 'bit'
  | 'bytes'
  | 'char'
  | 'date'
  | 'datetime'
  | 'datetime2'
  | 'datetimeoffset'
  | 'decimal'
  | 'float'
  | 'hundreds'
  | 'int'
  | 'money'
  | 'nchar'
  | 'real'
  | 'rowversion'
  | 'smalldatetime'
  | 'smallint'
  | 'smallmoney'
  | 'sql_variant'
  | 'time'
  | 'tinyint'
  | 'uniqueidentifier';

/** What the server does to a column first; see `selectExpression` in plan.ts. */
export type Cast = 'none' | 'decimal' | 'text' | 'textual' | 'wellKnownText' | 'method';

/** Plain data, kept in a plan. */
export interface Mapping {
  codec: Codec;
  cast: Cast;
  /** Of codec `decimal`, `money` and `smallmoney`. */
  precision?: number;
  /** Also of the types of time: digits after the second's point. */
  scale?: number;
  /** Of codec `char`: a name of the WHATWG Encoding Standard. */
  encoding?: string;
  /** Of cast `text`: CONVERT's style. */
  style?: number;
  /** Of codec `hundreds`: the column whose seventh digit it holds. */
  of?: string;
}

/** A column's type as sys.columns and sys.types tell it, alias types resolved. */
export interface CatalogType {
  name: string;
  /** In bytes; −1 for MAX. */
  length: number;
  precision: number;
  scale: number;
  /** Of the character types. */
  codePage?: number;
  /** Made by a user in a CLR assembly. */
  isClr: boolean;
  /** Always Encrypted: its bytes are not its values. */
  isEncrypted: boolean;
}

export interface TypeRow {
  types: string[];
  /** Absent where the type is refused. `scale`, `precision` and `encoding` are the column's. */
  mapping?: Mapping;
  note: string;
}

function native(codec: Codec): Mapping {
  return { codec, cast: 'none' };
}

/** `style` is CONVERT's: the one that loses nothing. */
function asText(style = 0): Mapping {
  return { codec: 'nchar', cast: 'text', style };
}

const STYLE_ODBC = 121;

export const typeTable: { title: string; rows: TypeRow[] }[] = [
  {
    title: 'Numbers',
    rows: [
      { types: ['bit'], mapping: native('bit'), note: '' },
      { types: ['tinyint'], mapping: native('tinyint'), note: 'Unsigned.' },
      { types: ['smallint'], mapping: native('smallint'), note: '' },
      { types: ['int'], mapping: native('int'), note: '' },
      { types: ['bigint'], mapping: native('bigint'), note: '' },
      { types: ['decimal', 'numeric'], mapping: { ...native('decimal'), precision: 38, scale: 0 }, note: 'Exact.' },
      { types: ['money'], mapping: { ...native('money'), precision: 19, scale: 4 }, note: 'Exact.' },
      { types: ['smallmoney'], mapping: { ...native('smallmoney'), precision: 10, scale: 4 }, note: 'Exact.' },
      { types: ['real'], mapping: native('real'), note: '' },
      { types: ['float'], mapping: native('float'), note: '`float(24)` and less is `real`.' },
    ],
  },
  {
    title: 'Dates and times',
    rows: [
      { types: ['date'], mapping: native('date'), note: '' },
      { types: ['time'], mapping: native('time'), note: 'All seven digits.' },
      {
        types: ['datetime2'],
        mapping: native('datetime2'),
        note: 'No time zone. `datetime2(7)` has a second column `<name>__ns100` (UInt8): its seventh digit, 0 to 9.',
      },
      {
        types: ['datetimeoffset'],
        mapping: native('datetimeoffset'),
        note: 'Extension type `arrow.timestamp_with_offset`: the time in UTC, and minutes ahead of it. `datetimeoffset(7)` has a second column, as `datetime2(7)`.',
      },
      {
        types: ['datetime'],
        mapping: native('datetime'),
        note: 'Ticks of 1/300 s, in the milliseconds that SQL Server shows.',
      },
      { types: ['smalldatetime'], mapping: native('smalldatetime'), note: '' },
    ],
  },
  {
    title: 'Text and bytes',
    rows: [
      {
        types: ['nchar', 'nvarchar', 'ntext', 'sysname', 'xml'],
        mapping: native('nchar'),
        note: 'MAX too. A surrogate without its other half is unrepresentable. `nchar` keeps its blanks.',
      },
      {
        types: ['char', 'varchar', 'text'],
        mapping: { ...native('char'), encoding: 'utf-8' },
        note: 'By the collation’s code page, UTF-8 included. Bytes that it does not define are unrepresentable. Code pages 437 and 850 are converted by the server.',
      },
      { types: ['binary', 'varbinary', 'image'], mapping: native('bytes'), note: 'MAX too.' },
      { types: ['timestamp', 'rowversion'], mapping: native('rowversion'), note: '' },
      { types: ['uniqueidentifier'], mapping: native('uniqueidentifier'), note: 'Extension type `arrow.uuid`.' },
    ],
  },
  {
    title: 'Other types',
    rows: [
      {
        types: ['sql_variant'],
        mapping: native('sql_variant'),
        note: 'The name of the cell’s own type, and its exact text.',
      },
      { types: ['hierarchyid'], mapping: { codec: 'nchar', cast: 'method' }, note: '`.ToString()`.' },
      {
        types: ['geography', 'geometry'],
        mapping: { codec: 'nchar', cast: 'wellKnownText' },
        note: '`SRID=4326;POINT (114.03 22.65)`: with the reference system, Z and M.',
      },
      { types: ['json', 'vector'], mapping: { codec: 'nchar', cast: 'textual' }, note: 'SQL Server 2025.' },
      { types: ['CLR types of users'], note: 'Refused; an override `text` reads what `.ToString()` gives.' },
      { types: ['columns of Always Encrypted'], note: 'Refused: only the client with the key can read them.' },
    ],
  },
];

/** CONVERT's style for an override `text`; types that are not here are converted with style 0. */
const textStyles: Record<string, number> = {
  date: 23,
  time: STYLE_ODBC,
  datetime: STYLE_ODBC,
  datetime2: STYLE_ODBC,
  datetimeoffset: STYLE_ODBC,
  smalldatetime: STYLE_ODBC,
  // Seventeen digits; four decimals; `0x` and hexadecimal digits.
  float: 3,
  real: 3,
  money: 2,
  smallmoney: 2,
  binary: 1,
  varbinary: 1,
  timestamp: 1,
};

const DECIMAL_PRECISION_MAX = 38;
const rowByName = new Map(typeTable.flatMap(({ rows }) => rows.flatMap((row) => row.types.map((name) => [name, row]))));

/** What becomes of a column of this type. Undefined: refused. */
export function mappingOf(type: CatalogType): Mapping | undefined {
  const mapping = type.isClr || type.isEncrypted ? undefined : rowByName.get(type.name)?.mapping;
  if (mapping === undefined) return undefined;
  const { precision, scale } = type;
  switch (mapping.codec) {
    case 'decimal':
      return { ...mapping, precision, scale };
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return { ...mapping, scale };
    case 'char': {
      const encoding = encodingOfCodePage(type.codePage ?? 0);
      return encoding === undefined ? { codec: 'nchar', cast: 'textual' } : { ...mapping, encoding };
    }
    default:
      return mapping;
  }
}

/** How a mapping follows the wish of a dataset's definition. Undefined: the wish cannot be met. */
export function overriddenMapping(
  type: CatalogType,
  natural: Mapping | undefined,
  wish: TypeWish,
): Mapping | undefined {
  if (type.isEncrypted) return undefined;
  if (wish.as === 'decimal') {
    const { precision, scale } = wish;
    const isWider = scale >= type.scale && precision - scale >= type.precision - type.scale;
    const fits = natural?.codec === 'decimal' && isWider && precision <= DECIMAL_PRECISION_MAX;
    return fits ? { ...natural, cast: 'decimal', precision, scale } : undefined;
  }
  if (natural?.codec === 'nchar' || natural?.codec === 'char') return natural;
  if (type.isClr) return { codec: 'nchar', cast: 'method' };
  // What a sql_variant holds has no one style, and an image no text.
  if (natural === undefined || type.name === 'sql_variant' || type.name === 'image') return undefined;
  return asText(textStyles[type.name]);
}

/** The Arrow type that a mapping's cells have. */
export function arrowTypeOf(mapping: Mapping): DataType {
  switch (mapping.codec) {
    case 'bit':
      return new Bool();
    case 'tinyint':
    case 'hundreds':
      return new Uint8();
    case 'smallint':
      return new Int16();
    case 'int':
      return new Int32();
    case 'bigint':
      return new Int64();
    case 'real':
      return new Float32();
    case 'float':
      return new Float64();
    case 'decimal':
    case 'money':
    case 'smallmoney':
      return new Decimal(mapping.scale ?? 0, mapping.precision ?? DECIMAL_PRECISION_MAX, 128);
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeNanosecond();
    case 'datetime':
    case 'datetime2':
    case 'smalldatetime':
      return new TimestampMicrosecond();
    case 'datetimeoffset':
      return new Struct([
        new Field('timestamp', new TimestampMicrosecond('UTC'), false),
        new Field('offset_minutes', new Int16(), false),
      ]);
    case 'char':
    case 'nchar':
      return new Utf8();
    case 'bytes':
      return new Binary();
    case 'rowversion':
      return new FixedSizeBinary(8);
    case 'uniqueidentifier':
      return new FixedSizeBinary(16);
    case 'sql_variant':
      return new Struct([new Field('type', new Utf8(), false), new Field('value', new Utf8(), false)]);
  }
}

const extensionNames: Partial<Record<Codec, string>> = {
  datetimeoffset: 'arrow.timestamp_with_offset',
  uniqueidentifier: 'arrow.uuid',
};

/** Arrow columnar format, "Extension Types"; both names are canonical. */
export function extensionMetadata(mapping: Mapping): Map<string, string> {
  const name = extensionNames[mapping.codec];
  if (name === undefined) return new Map();
  return new Map([
    ['ARROW:extension:name', name],
    ['ARROW:extension:metadata', ''],
  ]);
}

/** Whether a cell that is not null in the source can be unrepresentable, hence null, in Arrow. */
export function canBeUnrepresentable({ codec }: Mapping): boolean {
  return codec === 'char' || codec === 'nchar' || codec === 'sql_variant';
}

/** The seventh digit of a time goes to a second column; timestamps of nanoseconds would end in 2262. */
export function hasHundreds({ codec, scale, cast }: Mapping): boolean {
  return cast === 'none' && scale === 7 && (codec === 'datetime2' || codec === 'datetimeoffset');
}

export const types: TypeTable<CatalogType, Mapping> = {
  mappingOf,
  overridden: overriddenMapping,
  arrowTypeOf,
  canBeUnrepresentable,
  metadataOf: extensionMetadata,
};
