/**
 * The types of MySQL, MariaDB, TiDB and OceanBase and what becomes of each: read natively, converted to exact text by
 * the server, or refused by name. docs/reference/mysql-types.md is made from `typeTable`; a test keeps them equal.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  FixedSizeBinary,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  TimestampMicrosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import type { TypeTable, TypeWish } from '../columns.ts';

/** How a cell's bytes, in the form of prepared statements, are decoded. */
export type Codec =
  | 'bigint'
  | 'bit'
  | 'bits'
  | 'bytes'
  | 'date'
  | 'datetime'
  | 'decimal'
  | 'double'
  | 'float'
  | 'int'
  | 'smallint'
  | 'text'
  | 'timestamp'
  | 'tinyint'
  | 'uuid'
  | 'year';

/** What the server does to a column first; see `selectExpression` in plan.ts. */
export type Cast = 'none' | 'text' | 'decimal' | 'number' | 'hex' | 'wellKnownText';

/** Plain data, kept in a plan. */
export interface Mapping {
  codec: Codec;
  cast: Cast;
  /** Of integers. */
  unsigned?: boolean;
  /** Of codec `decimal`. */
  precision?: number;
  scale?: number;
  /** Of codec `decimal`: the source has more digits, so a cell may not fit. */
  isNarrow?: boolean;
  /** Of codec `text`: the column's character set, where the server converts it and may find no character for a byte. */
  charset?: string;
}

/** A column's type as information_schema tells it. */
export interface CatalogType {
  /** DATA_TYPE, in lower case. */
  name: string;
  unsigned: boolean;
  precision: number;
  scale: number;
  /** Of the character types. */
  charset?: string;
}

export interface TypeRow {
  types: string[];
  /** Absent where the type is refused. `unsigned`, `precision`, `scale` and `charset` are the column's. */
  mapping?: Mapping;
  note: string;
}

const native = (codec: Codec): Mapping => ({ codec, cast: 'none' });

const DECIMAL_PRECISION_MAX = 38;

export const typeTable: { title: string; rows: TypeRow[] }[] = [
  {
    title: 'Numbers',
    rows: [
      { types: ['tinyint'], mapping: native('tinyint'), note: '`tinyint(1)` too: it holds any of its 256 values.' },
      { types: ['smallint'], mapping: native('smallint'), note: 'Unsigned: Uint16.' },
      { types: ['mediumint', 'int'], mapping: native('int'), note: 'Unsigned: Uint32.' },
      { types: ['bigint'], mapping: native('bigint'), note: 'Unsigned: Uint64.' },
      {
        types: ['decimal'],
        mapping: { ...native('decimal'), precision: 38, scale: 0 },
        note: 'Exact. More than 38 digits: exact text; an override `decimal` that is narrower makes a cell that does not fit unrepresentable.',
      },
      { types: ['float'], mapping: native('float'), note: 'All of its bits; the server’s own text has six digits.' },
      { types: ['double'], mapping: native('double'), note: '' },
      { types: ['year'], mapping: native('year'), note: '`0000` is 0.' },
      { types: ['bit'], mapping: native('bits'), note: '`bit(1)`: Bool.' },
    ],
  },
  {
    title: 'Dates and times',
    rows: [
      {
        types: ['date'],
        mapping: native('date'),
        note: '`0000-00-00`, and a month or day of zero or that the calendar does not have, are unrepresentable.',
      },
      {
        types: ['datetime'],
        mapping: native('datetime'),
        note: 'No time zone. Unrepresentable as `date`. All six digits.',
      },
      { types: ['timestamp'], mapping: native('timestamp'), note: 'UTC: the session’s time zone is +00:00.' },
      {
        types: ['time'],
        mapping: { codec: 'text', cast: 'text' },
        note: 'A length of time from −838:59:59 to 838:59:59, which no Arrow time of day holds.',
      },
    ],
  },
  {
    title: 'Text and bytes',
    rows: [
      {
        types: ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set'],
        mapping: native('text'),
        note: 'UTF-8 whatever the column’s character set; a cell with bytes that have no character is unrepresentable.',
      },
      { types: ['json'], mapping: native('text'), note: 'The server’s text, every digit of a number kept.' },
      {
        types: ['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'],
        mapping: native('bytes'),
        note: 'An override `text` gives hexadecimal digits.',
      },
      { types: ['uuid'], mapping: native('uuid'), note: 'MariaDB. Extension type `arrow.uuid`.' },
      { types: ['inet4', 'inet6'], mapping: native('text'), note: 'MariaDB.' },
    ],
  },
  {
    title: 'Geometry',
    rows: [
      {
        types: [
          'geometry',
          'point',
          'linestring',
          'polygon',
          'multipoint',
          'multilinestring',
          'multipolygon',
          'geometrycollection',
          'geomcollection',
        ],
        mapping: native('bytes'),
        note: 'As it is stored: four bytes of SRID, little-endian, then well-known binary. An override `text` gives `SRID=…;` and well-known text.',
      },
    ],
  },
  {
    title: 'Refused',
    rows: [{ types: ['vector', 'every other type'], note: 'An override `text` or `skip` says what to do.' }],
  },
];

const rowByName = new Map(typeTable.flatMap(({ rows }) => rows.flatMap((row) => row.types.map((name) => [name, row]))));
const geometryTypes = new Set(
  typeTable.find(({ title }) => title === 'Geometry')?.rows.flatMap(({ types: all }) => all),
);

/** What becomes of a column of this type. Undefined: refused. */
export function mappingOf(type: CatalogType): Mapping | undefined {
  const mapping = rowByName.get(type.name)?.mapping;
  if (mapping === undefined) return undefined;
  const { precision, scale, unsigned, charset } = type;
  switch (mapping.codec) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return unsigned ? { ...mapping, unsigned } : mapping;
    case 'decimal':
      return precision > DECIMAL_PRECISION_MAX ? native('text') : { ...mapping, precision, scale };
    case 'bits':
      return precision === 1 ? native('bit') : mapping;
    case 'text':
      return charset === undefined || charset.startsWith('utf8') ? mapping : { ...mapping, charset };
    default:
      return mapping;
  }
}

/** How a mapping follows the wish of a dataset's definition. Undefined: the wish cannot be met. */
function overridden(type: CatalogType, natural: Mapping | undefined, wish: TypeWish): Mapping | undefined {
  if (wish.as === 'decimal') return decimalWish(type, wish);
  if (natural === undefined) return { codec: 'text', cast: 'text' };
  if (natural.codec === 'text') return natural;
  if (geometryTypes.has(type.name)) return { codec: 'text', cast: 'wellKnownText' };
  if (natural.codec === 'bytes') return { codec: 'text', cast: 'hex' };
  return { codec: 'text', cast: natural.codec === 'bit' || natural.codec === 'bits' ? 'number' : 'text' };
}

/** Wider is cast by the server; of more than 38 digits, each cell is looked at. */
function decimalWish(type: CatalogType, wish: { precision: number; scale: number }): Mapping | undefined {
  const { precision, scale } = wish;
  if (type.name !== 'decimal' || precision > DECIMAL_PRECISION_MAX || scale > precision) return undefined;
  if (type.precision > DECIMAL_PRECISION_MAX)
    return { codec: 'decimal', cast: 'none', precision, scale, isNarrow: true };
  const isWider = scale >= type.scale && precision - scale >= type.precision - type.scale;
  return isWider ? { codec: 'decimal', cast: 'decimal', precision, scale } : undefined;
}

/** The Arrow type that a mapping's cells have. */
function arrowTypeOf({ codec, unsigned, precision, scale }: Mapping): DataType {
  switch (codec) {
    case 'tinyint':
      return unsigned ? new Uint8() : new Int8();
    case 'smallint':
      return unsigned ? new Uint16() : new Int16();
    case 'int':
      return unsigned ? new Uint32() : new Int32();
    case 'bigint':
      return unsigned ? new Uint64() : new Int64();
    case 'bits':
      return new Uint64();
    case 'bit':
      return new Bool();
    case 'year':
      return new Int16();
    case 'float':
      return new Float32();
    case 'double':
      return new Float64();
    case 'decimal':
      return new Decimal(scale ?? 0, precision ?? DECIMAL_PRECISION_MAX, 128);
    case 'date':
      return new DateDay();
    case 'datetime':
      return new TimestampMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond('UTC');
    case 'text':
      return new Utf8();
    case 'bytes':
      return new Binary();
    case 'uuid':
      return new FixedSizeBinary(16);
  }
}

/** Arrow columnar format, "Extension Types": a canonical name. */
function metadataOf({ codec }: Mapping): Map<string, string> {
  if (codec !== 'uuid') return new Map();
  return new Map([
    ['ARROW:extension:name', 'arrow.uuid'],
    ['ARROW:extension:metadata', ''],
  ]);
}

/** Whether a cell that is not null in the source can be unrepresentable, hence null, in Arrow. */
function canBeUnrepresentable({ codec, isNarrow }: Mapping): boolean {
  return codec === 'date' || codec === 'datetime' || codec === 'timestamp' || codec === 'text' || isNarrow === true;
}

export const types: TypeTable<CatalogType, Mapping> = {
  mappingOf,
  overridden,
  arrowTypeOf,
  canBeUnrepresentable,
  metadataOf,
};
