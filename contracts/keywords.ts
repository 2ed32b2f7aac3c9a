/** The keywords a contract may use: a closed list, so that a misspelt one is an error and not a silent pass. */
import type { CellImage } from './image.ts';

/** A schema after `normalize`: no `$ref`, no annotations. */
export type SchemaNode = boolean | SchemaObject;
export type SchemaObject = { [keyword: string]: unknown };

/** What a keyword's value holds: one schema, a list of schemas, or schemas by name. */
export type Applies = 'schema' | 'list' | 'map';

export const applicators: Readonly<Record<string, Applies>> = {
  additionalProperties: 'schema',
  allOf: 'list',
  anyOf: 'list',
  contains: 'schema',
  dependentSchemas: 'map',
  else: 'schema',
  if: 'schema',
  items: 'schema',
  not: 'schema',
  oneOf: 'list',
  patternProperties: 'map',
  prefixItems: 'list',
  properties: 'map',
  propertyNames: 'schema',
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: 'schema',
};

/** Keywords that restrict values of one JSON type only; on a column of another type they would never act. */
const numberKeywords = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']);
export const formatLimits = new Set([
  'formatMinimum',
  'formatMaximum',
  'formatExclusiveMinimum',
  'formatExclusiveMaximum',
]);
const stringKeywords = new Set(['minLength', 'maxLength', 'pattern', 'format', ...formatLimits]);
const arrayKeywords = new Set([
  'items',
  'prefixItems',
  'contains',
  'minContains',
  'maxContains',
  'minItems',
  'maxItems',
  'uniqueItems',
]);
const objectKeywords = new Set([
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'required',
  'dependentRequired',
  'dependentSchemas',
  'minProperties',
  'maxProperties',
]);
const anyTypeKeywords = new Set(['type', 'const', 'enum', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else']);

export const annotations = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
]);
/** Members of the contract document itself. */
export const contractMembers = new Set(['version', 'key']);

export function isAssertion(keyword: string): boolean {
  return (
    anyTypeKeywords.has(keyword) ||
    numberKeywords.has(keyword) ||
    stringKeywords.has(keyword) ||
    arrayKeywords.has(keyword) ||
    objectKeywords.has(keyword)
  );
}

/** `minLength` → `MIN_LENGTH`; a format also tells which: `FORMAT_RESIDENT_ID`. */
export function codeOf(keyword: string, value?: unknown): string {
  if (keyword === 'format') {
    return `FORMAT_${String(value).replaceAll('-', '_').toUpperCase()}`;
  }
  return keyword
    .replaceAll(/([A-Z])/g, '_$1')
    .replaceAll(' ', '_')
    .toUpperCase();
}

export function typesOf(value: unknown): string[] {
  return Array.isArray(value) ? value : [String(value)];
}

/** The JSON type a keyword is about; null for keywords about any. */
export function keywordType(keyword: string): 'number' | 'string' | 'array' | 'object' | null {
  if (numberKeywords.has(keyword)) {
    return 'number';
  }
  if (stringKeywords.has(keyword)) {
    return 'string';
  }
  if (arrayKeywords.has(keyword)) {
    return 'array';
  }
  return objectKeywords.has(keyword) ? 'object' : null;
}

/** Whether a keyword can ever act on a column with this image. */
export function appliesTo(keyword: string, jsonType: CellImage['jsonType']): boolean {
  const about = keywordType(keyword);
  return about === null || about === (jsonType === 'integer' ? 'number' : jsonType);
}
