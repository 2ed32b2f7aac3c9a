/**
 * PostgreSQL's types and what becomes of each: read natively, read as the source's own exact text, or refused by name.
 * docs/reference/postgresql-types.md is made from `typeTable`; a test keeps them equal.
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
  List,
  TimeMicrosecond,
  TimestampMicrosecond,
  Uint32,
  Utf8,
} from 'apache-arrow';
import type { TypeTable, TypeWish } from '../columns.ts';

/** How a cell's binary form is decoded. */
export type Codec =
  | 'bool'
  | 'bytes'
  | 'date'
  | 'float4'
  | 'float8'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'jsonb'
  | 'list'
  | 'money'
  | 'numeric'
  | 'oid'
  | 'text'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid';

/**
 * What the server does to a column first: nothing, a cast to text, its output function (where the cast differs from
 * it), or a cast of every element to text.
 */
export type Cast = 'none' | 'text' | 'output' | 'texts';

/** Plain data, kept in a plan. */
export interface Mapping {
  codec: Codec;
  cast: Cast;
  /** Of codec `numeric` and `money`. */
  precision?: number;
  scale?: number;
  /** Of codec `list`. */
  element?: Mapping;
}

/** A type as the catalog describes it, domains and arrays with what they are made of. */
export interface CatalogType {
  name: string;
  /** In pg_catalog, rather than made by a user or an extension. */
  builtIn: boolean;
  kind: 'base' | 'composite' | 'domain' | 'enum' | 'pseudo' | 'range' | 'multirange';
  /** Of a domain: its base type, and the modifier it gives it. */
  base?: { type: CatalogType; modifier: number };
  /** Of a true array. */
  element?: CatalogType;
}

/** All that decides what becomes of a column. */
export interface ColumnType {
  /** Absent where the catalog does not show it to this user. */
  catalog?: CatalogType;
  /** pg_attribute.atttypmod. */
  modifier: number;
  /** Digits after the point of `money` in this database. */
  moneyScale: number;
}

export interface TypeRow {
  types: string[];
  /** Absent where the type is refused. */
  mapping?: Mapping;
  /** In the reference: what decides instead of a mapping. */
  follows?: string;
  note: string;
}

const native = (codec: Codec): Mapping => ({ codec, cast: 'none' });
const asText: Mapping = { codec: 'text', cast: 'text' };

/** Types of pg_catalog, by name. `numeric` and `money` depend on the column; `mappingOf` knows. */
const builtIn: TypeRow[] = [
  { types: ['bool'], mapping: native('bool'), note: '' },
  { types: ['int2'], mapping: native('int2'), note: '' },
  { types: ['int4'], mapping: native('int4'), note: '' },
  { types: ['int8'], mapping: native('int8'), note: '' },
  { types: ['oid', 'xid', 'cid'], mapping: native('oid'), note: 'Unsigned.' },
  { types: ['float4'], mapping: native('float4'), note: 'NaN and infinities are kept.' },
  { types: ['float8'], mapping: native('float8'), note: 'NaN and infinities are kept.' },
  {
    types: ['text', 'varchar', 'name', 'json', 'refcursor'],
    mapping: native('text'),
    note: 'The bytes as they are; json is not reformatted.',
  },
  { types: ['bpchar'], mapping: native('text'), note: '`char(n)`: padded with blanks, as the source shows it.' },
  { types: ['jsonb'], mapping: native('jsonb'), note: 'Its text, every digit of its numbers kept.' },
  { types: ['bytea'], mapping: native('bytes'), note: '' },
  { types: ['date'], mapping: native('date'), note: 'Infinite, BC, after 9999: unrepresentable.' },
  { types: ['time'], mapping: native('time'), note: '24:00:00 is unrepresentable (Arrow: below one day).' },
  {
    types: ['timestamp'],
    mapping: native('timestamp'),
    note: 'No time zone. Infinite, BC, after 9999: unrepresentable.',
  },
  { types: ['timestamptz'], mapping: native('timestamptz'), note: 'UTC. Infinite, BC, after 9999: unrepresentable.' },
  { types: ['uuid'], mapping: native('uuid'), note: 'Extension type `arrow.uuid`.' },
  { types: ['inet'], mapping: { codec: 'text', cast: 'output' }, note: 'As shown: a host has no `/32`.' },
  {
    types: ['timetz', 'interval', 'xml', 'char', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit'],
    mapping: asText,
    note: 'Arrow has no exact equivalent. `char` is the one-byte type `"char"`.',
  },
  { types: ['tsvector', 'tsquery', 'jsonpath', 'pg_lsn', 'xid8', 'tid'], mapping: asText, note: '' },
  { types: ['txid_snapshot', 'pg_snapshot', 'int2vector', 'oidvector'], mapping: asText, note: '' },
  { types: ['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'], mapping: asText, note: 'Geometric.' },
  {
    types: ['regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator'],
    mapping: asText,
    note: 'The object’s name in the source.',
  },
  { types: ['regproc', 'regprocedure', 'regrole', 'regtype', 'aclitem'], mapping: asText, note: '' },
  {
    types: ['gtsvector', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'pg_dependencies', 'pg_mcv_list'],
    note: 'Internal to the server.',
  },
  { types: ['pg_ddl_command', 'pg_ndistinct', 'pg_node_tree'], note: 'Internal to the server.' },
];

/** Types of well-known extensions, by name, in whatever schema they are. */
const extensions: TypeRow[] = [
  {
    types: ['citext', 'hstore', 'ltree', 'lquery', 'ltxtquery', 'cube', 'seg', 'isbn', 'ean13'],
    mapping: asText,
    note: '',
  },
  {
    types: ['geometry', 'geography', 'box2d', 'box3d'],
    mapping: asText,
    note: 'PostGIS: hexadecimal EWKB, its text form.',
  },
  { types: ['vector', 'halfvec', 'sparsevec'], mapping: asText, note: 'pgvector.' },
];

/** What the reference shows besides: rules rather than names. */
const rules: TypeRow[] = [
  { types: ['numeric(p,s), p ≤ 38'], mapping: decimal(38, 0), note: 'Exact. NaN is unrepresentable.' },
  {
    types: ['numeric(p,s), p > 38', 'numeric'],
    mapping: asText,
    note: 'Exact text; a `decimal` override may narrow it.',
  },
  {
    types: ['money'],
    mapping: { codec: 'money', cast: 'none', precision: 19, scale: 2 },
    note: 'Scale of the database’s locale.',
  },
  { types: ['enum types'], mapping: native('text'), note: 'The label.' },
  { types: ['domains'], follows: 'as their base type', note: '' },
  {
    types: ['arrays'],
    mapping: { codec: 'list', cast: 'none', element: native('text') },
    note: 'List of the mapped element; elements that are read as text are text. More than one dimension, or another lower bound than 1: unrepresentable. An unrepresentable element makes the whole cell so. Arrays of inet, composite types and ranges are one text.',
  },
  { types: ['composite types', 'range types', 'multirange types'], mapping: asText, note: '' },
  { types: ['pseudo-types', 'any other base type'], note: 'Refused; an override `text` reads it as text.' },
];

export const typeTable: { title: string; rows: TypeRow[] }[] = [
  { title: 'Built-in types', rows: builtIn },
  { title: 'Types that depend on the column', rows: rules },
  { title: 'Types of extensions', rows: extensions },
];

const builtInByName = byName(builtIn);
const extensionByName = byName(extensions);
const DECIMAL_PRECISION_MAX = 38;

function byName(rows: TypeRow[]): Map<string, TypeRow> {
  return new Map(rows.flatMap((row) => row.types.map((name) => [name, row] as const)));
}

function decimal(precision: number, scale: number): Mapping {
  return { codec: 'numeric', cast: 'none', precision, scale };
}

/**
 * What becomes of a column of this type. `modifier` is pg_attribute.atttypmod; `moneyScale` the digits after the point
 * of `money` in this database. Undefined: refused.
 */
export function mappingOf(type: CatalogType, modifier: number, moneyScale: number): Mapping | undefined {
  if (type.base) return mappingOf(type.base.type, modifier === -1 ? type.base.modifier : modifier, moneyScale);
  if (type.element) return listMapping(type.element, modifier, moneyScale);
  if (type.kind === 'enum') return native('text');
  if (type.kind === 'pseudo') return undefined;
  if (type.kind !== 'base') return asText;
  if (!type.builtIn) return extensionByName.get(type.name)?.mapping;
  if (type.name === 'numeric') return numericMapping(modifier);
  if (type.name === 'money') return { codec: 'money', cast: 'none', precision: 19, scale: moneyScale };
  return builtInByName.get(type.name)?.mapping;
}

/** Whether and how a mapping follows the wish of a dataset's definition. Undefined: the wish cannot be met. */
export function overriddenMapping(
  type: CatalogType,
  natural: Mapping | undefined,
  wish: TypeWish,
): Mapping | undefined {
  if (wish.as === 'decimal') {
    const { precision, scale } = wish;
    const fits = precision >= 1 && precision <= DECIMAL_PRECISION_MAX && scale >= 0 && scale <= precision;
    return fits && baseOf(type).name === 'numeric' && baseOf(type).builtIn ? decimal(precision, scale) : undefined;
  }
  // Text is already text; a cast would strip the blanks of char(n).
  return natural?.codec === 'text' ? natural : asText;
}

function baseOf(type: CatalogType): CatalogType {
  return type.base ? baseOf(type.base.type) : type;
}

/** numeric's modifier is ((precision << 16) | (scale & 0x7ff)) + 4, the scale signed (src/backend/utils/adt/numeric.c). */
function numericMapping(modifier: number): Mapping {
  if (modifier < 4) return asText;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  // numeric(2,-3) holds 99000: five digits and no fraction. numeric(3,5) holds 0.00999: below Arrow's own rule.
  const digits = scale < 0 ? precision - scale : Math.max(precision, scale);
  return digits <= DECIMAL_PRECISION_MAX ? decimal(digits, Math.max(0, scale)) : asText;
}

function listMapping(elementType: CatalogType, modifier: number, moneyScale: number): Mapping | undefined {
  const element = mappingOf(elementType, modifier, moneyScale);
  if (element === undefined) return undefined;
  const isBase = baseOf(elementType).kind === 'base' && element.codec !== 'list';
  if (element.cast === 'none') return element.codec === 'list' ? asText : { codec: 'list', cast: 'none', element };
  if (element.cast === 'text' && isBase) return { codec: 'list', cast: 'texts', element: native('text') };
  return asText;
}

/** The Arrow type that a mapping's cells have. */
export function arrowTypeOf(mapping: Mapping): DataType {
  switch (mapping.codec) {
    case 'bool':
      return new Bool();
    case 'bytes':
      return new Binary();
    case 'date':
      return new DateDay();
    case 'float4':
      return new Float32();
    case 'float8':
      return new Float64();
    case 'int2':
      return new Int16();
    case 'int4':
      return new Int32();
    case 'int8':
      return new Int64();
    case 'oid':
      return new Uint32();
    case 'money':
    case 'numeric':
      return new Decimal(mapping.scale ?? 0, mapping.precision ?? DECIMAL_PRECISION_MAX, 128);
    case 'jsonb':
    case 'text':
      return new Utf8();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'timestamptz':
      return new TimestampMicrosecond('UTC');
    case 'uuid':
      return new FixedSizeBinary(16);
    case 'list':
      return new List(new Field('item', arrowTypeOf(elementOf(mapping)), true, extensionMetadata(elementOf(mapping))));
  }
}

export function elementOf(mapping: Mapping): Mapping {
  return mapping.element ?? native('text');
}

/** Arrow columnar format, "Extension Types"; "Canonical Extension Types: UUID". */
export function extensionMetadata(mapping: Mapping): Map<string, string> {
  if (mapping.codec !== 'uuid') return new Map();
  return new Map([
    ['ARROW:extension:name', 'arrow.uuid'],
    ['ARROW:extension:metadata', ''],
  ]);
}

/** Whether a cell that is not null in the source can be unrepresentable, hence null, in Arrow. */
export function canBeUnrepresentable(mapping: Mapping): boolean {
  return ['numeric', 'date', 'time', 'timestamp', 'timestamptz', 'list'].includes(mapping.codec);
}

export const types: TypeTable<ColumnType, Mapping> = {
  mappingOf: ({ catalog, modifier, moneyScale }) => catalog && mappingOf(catalog, modifier, moneyScale),
  overridden: ({ catalog }, natural, wish) => catalog && overriddenMapping(catalog, natural, wish),
  arrowTypeOf,
  canBeUnrepresentable,
  metadataOf: extensionMetadata,
};
