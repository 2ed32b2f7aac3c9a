/**
 * A contract from what a source says of a table and what a sample shows. What the source guarantees is put into force;
 * what only the sample shows is a suggestion, under `x-huitong-inferred`, which decides nothing until somebody moves it
 * up. The exceptions are formats of text, and text in a column of floats: both stand in force and are named there.
 */
import { DataType, type Field } from 'apache-arrow';
import type { ColumnGuarantees, SourceColumn } from '../../connectors/connector.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { cellImage, isUuid } from '../../contracts/image.ts';
import { compilePattern } from '../../contracts/regex/pattern.ts';
import type { ColumnProfile } from './column-profile.ts';
import type { Sensitivity } from './sensitivity.ts';

export interface InferredColumn {
  field: Field;
  source: SourceColumn;
  profile: ColumnProfile;
  sensitivity: Sensitivity | undefined;
  /** The source's own word that no cell is null. */
  neverNull: boolean;
}

/** Below so many cells a sample says nothing. */
const EVIDENCE_MIN = 20;

export function inferContract(title: string, key: string[], columns: InferredColumn[]): ContractDocument {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    version: '1.0.0',
    title,
    key,
    type: 'object',
    properties: Object.fromEntries(columns.map((column) => [column.field.name, propertyOf(column)])),
    required: columns.map(({ field }) => field.name),
    additionalProperties: false,
  };
}

type Keywords = Record<string, unknown>;

function propertyOf(column: InferredColumn): Keywords {
  const { field, source, profile, neverNull } = column;
  const jsonType = cellImage(field)?.jsonType ?? 'string';
  const types = [jsonType, ...(profile.specials > 0 ? ['string'] : []), ...(neverNull ? [] : ['null'])];
  const format = formatOf(field);
  const found = format === undefined && jsonType === 'string' ? formatFound(column) : undefined;
  const guaranteed = guaranteedKeywords(source.guarantees, jsonType, format, neverNull);
  const inferred = suggestions(column, jsonType, { ...guaranteed, ...(found && { format: found }) });
  const inForce = [...(found ? ['format'] : []), ...(profile.specials > 0 ? ['type'] : [])];
  const isBinary = DataType.isBinary(field.type) || (DataType.isFixedSizeBinary(field.type) && !isUuid(field));
  return {
    ...(source.comment === undefined ? {} : { title: plainText(source.comment) }),
    type: types.length === 1 ? types[0] : types,
    ...(format === undefined ? {} : { format }),
    ...(found === undefined ? {} : { format: found }),
    ...guaranteed,
    ...(isBinary ? { contentEncoding: 'base64' } : {}),
    ...(Object.keys(inferred).length + inForce.length === 0
      ? {}
      : { 'x-huitong-inferred': { fromRows: profile.rows, ...(inForce.length > 0 && { inForce }), ...inferred } }),
  };
}

/** What the Arrow type says by itself. */
function formatOf(field: Field): string | undefined {
  const { type } = field;
  if (DataType.isDate(type)) return 'date';
  if (DataType.isTime(type)) return 'local-time';
  if (DataType.isTimestamp(type)) return type.timezone ? 'date-time' : 'local-date-time';
  return isUuid(field) ? 'uuid' : undefined;
}

/** Checked by their own digits, so that a column which mostly has them has them by intention. */
const checked = new Set(['resident-id', 'social-credit-code', 'uuid']);

function formatFound({ source, profile }: InferredColumn): string | undefined {
  const cells = profile.rows - profile.nulls;
  if (cells < EVIDENCE_MIN || profile.distinct === 1) return undefined;
  for (const [format, hits] of profile.formats) {
    if (format === 'division-code' && !divisionLike.test(`${source.name} ${source.comment ?? ''}`)) continue;
    if (hits === cells || checked.has(format)) return format;
  }
  return undefined;
}

const divisionLike = /区划|division|region|xzqh|行政区/i;

const keywordTypes: Record<keyof ColumnGuarantees, 'number' | 'string' | 'date' | 'any'> = {
  enum: 'any',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  formatMinimum: 'date',
  formatMaximum: 'date',
  formatExclusiveMinimum: 'date',
  formatExclusiveMaximum: 'date',
  pattern: 'string',
  minLength: 'string',
  maxLength: 'string',
};

/** Those that act on the column as it is read: an override may have made text of a number. */
function guaranteedKeywords(
  guarantees: ColumnGuarantees | undefined,
  jsonType: string,
  format: string | undefined,
  neverNull: boolean,
): Keywords {
  const kind = jsonType === 'integer' ? 'number' : jsonType;
  const entries = Object.entries(guarantees ?? {}).filter(([keyword, value]) => {
    const about = keywordTypes[keyword as keyof ColumnGuarantees];
    if (keyword === 'enum') return (value as unknown[]).every((item) => typeof item === kind);
    if (about === 'date') return format === 'date';
    return about === kind && (keyword !== 'pattern' || isKnownPattern(String(value)));
  });
  return Object.fromEntries(
    entries.map(([keyword, value]) => [
      keyword,
      keyword === 'enum' && !neverNull ? [...(value as unknown[]), null] : value,
    ]),
  );
}

function isKnownPattern(pattern: string): boolean {
  try {
    compilePattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/** What the sample shows and nobody guarantees. Of columns with personal data, no more than how many are null. */
function suggestions(column: InferredColumn, jsonType: string, inForce: Keywords): Keywords {
  const { profile, sensitivity, neverNull } = column;
  const cells = profile.rows - profile.nulls;
  if (profile.rows < EVIDENCE_MIN) return {};
  const nullShare = neverNull ? {} : { nullShare: Number((profile.nulls / profile.rows).toFixed(4)) };
  if (sensitivity !== undefined || cells < EVIDENCE_MIN) return nullShare;
  const isNumber = jsonType === 'integer' || jsonType === 'number';
  const bounded = 'minimum' in inForce || 'exclusiveMinimum' in inForce;
  const repeated = 'enum' in inForce || 'format' in inForce ? undefined : profile.repeated;
  const formatted = 'pattern' in inForce || 'format' in inForce || repeated !== undefined || jsonType !== 'string';
  return {
    ...nullShare,
    ...(repeated === undefined || jsonType === 'boolean' ? {} : { enum: repeated.map((json) => JSON.parse(json)) }),
    ...(isNumber && !bounded && repeated === undefined ? widened(profile.range) : {}),
    ...(formatted || profile.pattern === undefined || formatOf(column.field) ? {} : { pattern: profile.pattern }),
  };
}

/** Bounds that tell the magnitude of a column and none of its values. */
function widened(range: ColumnProfile['range']): Keywords {
  if (range === undefined || !Number.isFinite(range.low) || !Number.isFinite(range.high)) return {};
  const magnitude = (value: number) => 10 ** Math.ceil(Math.log10(Math.max(1, Math.abs(value))) + 1);
  const maximum = magnitude(Math.max(Math.abs(range.low), Math.abs(range.high)));
  if (maximum > 1e15) return range.low >= 0 ? { minimum: 0 } : {};
  return { minimum: range.low >= 0 ? 0 : -maximum, maximum };
}

/** Puts suggestions into force (`--strict`); what a property already says of itself stays. */
export function withSuggestions(contract: ContractDocument): ContractDocument {
  const properties = Object.entries(contract.properties).map(([name, property]) => {
    const { 'x-huitong-inferred': inferred, ...own } = property as Keywords;
    if (typeof inferred !== 'object' || inferred === null) return [name, property] as const;
    const { fromRows: _rows, inForce: _inForce, nullShare, enum: values, ...keywords } = inferred as Keywords;
    const type = nullShare === 0 && Array.isArray(own.type) ? withoutNull(own.type) : own.type;
    const nullable = Array.isArray(type) && type.includes('null');
    const listed = Array.isArray(values) ? { enum: nullable ? [...values, null] : values } : {};
    return [name, { ...own, type, ...keywords, ...listed, 'x-huitong-inferred': inferred }] as const;
  });
  return { ...contract, properties: Object.fromEntries(properties) };
}

function withoutNull(types: unknown[]): unknown {
  const left = types.filter((type) => type !== 'null');
  return left.length === 1 ? left[0] : left;
}

const TITLE_CHARACTERS_MAX = 500;

/** A comment as a title: in one line, and without what `huitong apply` refuses (ENCODING). */
export function plainText(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cs}\p{Cf}\s]+/gu, ' ').trim();
  return visible.slice(0, TITLE_CHARACTERS_MAX) || '–';
}
