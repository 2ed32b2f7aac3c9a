/**
 * The reference: ajv (JSON Schema 2020-12, strict), with formats of ours and numeric keywords that are exact on the
 * JSON image. It decides what a contract means; the column check agrees with it on every row, and asks it for the
 * keywords that columns cannot decide.
 */
import { Ajv2020, type ErrorObject, type KeywordDefinition } from 'ajv/dist/2020.js';
import { compareExact, ExactNumber, type ImageNumber, isIntegral, isMultipleOf } from './exact.ts';
import { formatLimitTest } from './format-limits.ts';
import { formats } from './formats/index.ts';
import type { ImageValue } from './image.ts';
import { applicators, codeOf, formatLimits, type SchemaNode, type SchemaObject, typesOf } from './keywords.ts';
import { patternTest } from './regex/pattern.ts';

export interface OracleError {
  pointer: string;
  code: string;
}

/** One schema, ready to judge values of the JSON image. */
export interface Oracle {
  passes(value: ImageValue): boolean;
  /** Composites (`anyOf`, `oneOf`, `not`, `contains`) report themselves; `allOf`, `then` and `else` what fails in them. */
  errors(value: ImageValue): OracleError[];
}

export interface OracleOptions {
  /** `linear`: our automata (the default). `native`: JavaScript's own engine, for tests that compare the two. */
  patterns?: 'linear' | 'native';
}

const isNumber = (value: unknown): value is ImageNumber => typeof value === 'number' || value instanceof ExactNumber;

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
    case 'number':
      return isNumber(value) && (value instanceof ExactNumber || Number.isFinite(value));
    case 'integer':
      return isNumber(value) && isIntegral(value);
    default:
      return typeof value === type;
  }
}

/** JSON equality: numbers by value, members in any order. */
export function equalImages(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) {
    return compareExact(a, b) === 0;
  }
  if (isNumber(a) || isNumber(b) || typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b;
  }
  if (Array.isArray(a) !== Array.isArray(b)) {
    return false;
  }
  const members = Object.entries(a);
  return (
    members.length === Object.keys(b).length &&
    members.every(([name, value]) => Object.hasOwn(b, name) && equalImages(value, Reflect.get(b, name)))
  );
}

type Validate = (data: unknown) => boolean;

/** ajv's own keyword of this name gives way to ours. `type` cannot be replaced, so it is renamed (see `forAjv`). */
const exactKeywords: Record<string, (value: never) => Validate> = {
  imageType: (types: string[]) => (data) => types.some((type) => hasType(data, type)),
  const: (expected: unknown) => (data) => equalImages(data, expected),
  enum: (members: unknown[]) => (data) => members.some((member) => equalImages(data, member)),
  minimum: (limit: number) => (data) => !isNumber(data) || compareExact(data, limit) >= 0,
  maximum: (limit: number) => (data) => !isNumber(data) || compareExact(data, limit) <= 0,
  exclusiveMinimum: (limit: number) => (data) => !isNumber(data) || compareExact(data, limit) > 0,
  exclusiveMaximum: (limit: number) => (data) => !isNumber(data) || compareExact(data, limit) < 0,
  multipleOf: (divisor: number) => (data) => !isNumber(data) || isMultipleOf(data, divisor),
  uniqueItems: (wanted: boolean) => (data) =>
    !wanted || !Array.isArray(data) || data.every((item, i) => !data.slice(0, i).some((b) => equalImages(b, item))),
};

function createAjv(patterns: 'linear' | 'native', allErrors: boolean): Ajv2020 {
  // ajv keeps one expression for each text that `toString` gives: without one, all patterns of a schema would be the first.
  const compilePattern = (pattern: string) => ({ test: patternTest(pattern), toString: () => pattern });
  const linear = Object.assign(compilePattern, { code: 'patternTest' });
  const ajv = new Ajv2020({
    allErrors,
    strict: true,
    strictNumbers: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowMatchingProperties: true,
    unicodeRegExp: true,
    validateFormats: true,
    validateSchema: false,
    addUsedSchema: false,
    meta: false,
    logger: false,
    code: patterns === 'linear' ? { regExp: linear } : {},
  });
  for (const [keyword, compile] of Object.entries(exactKeywords)) {
    ajv.removeKeyword(keyword);
    ajv.addKeyword({ keyword, compile: compile as (value: unknown) => Validate, errors: false });
  }
  for (const keyword of formatLimits) {
    ajv.addKeyword(formatLimitKeyword(keyword));
  }
  for (const [name, format] of formats) {
    ajv.addFormat(name, { type: 'string', validate: format.text });
  }
  return ajv;
}

function formatLimitKeyword(keyword: string): KeywordDefinition {
  return {
    keyword,
    type: 'string',
    errors: false,
    compile: (limit: string) => formatLimitTest(keyword, limit),
  };
}

/** The normalized schema as ajv gets it: `type` under a name that ours can hold. */
function forAjv(node: SchemaNode): SchemaNode {
  if (typeof node === 'boolean') {
    return node;
  }
  const out: SchemaObject = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword === 'type') {
      out.imageType = typesOf(value);
    } else if (applicators[keyword] === 'schema') {
      out[keyword] = forAjv(value as SchemaNode);
    } else if (applicators[keyword] === 'list') {
      out[keyword] = (value as SchemaNode[]).map(forAjv);
    } else if (applicators[keyword] === 'map') {
      const members = Object.entries(value as Record<string, SchemaNode>);
      out[keyword] = Object.fromEntries(members.map(([name, member]) => [name, forAjv(member)]));
    } else {
      out[keyword] = value;
    }
  }
  // `then` without `if` is an error to strict ajv and means nothing to JSON Schema.
  if (!('if' in out)) {
    delete out.then;
    delete out.else;
  } else if (!('then' in out) && !('else' in out)) {
    delete out.if;
  }
  return out;
}

export function createOracle(schema: SchemaNode, { patterns = 'linear' }: OracleOptions = {}): Oracle {
  const plain = forAjv(schema);
  const passes = createAjv(patterns, false).compile(plain);
  let explain: ReturnType<Ajv2020['compile']> | undefined;
  return {
    passes: (value) => passes(value),
    errors(value) {
      explain ??= createAjv(patterns, true).compile(plain);
      return explain(value) ? [] : (explain.errors ?? []).filter((e) => isReported(plain, e)).map(toOracleError);
    },
  };
}

function toOracleError(error: ErrorObject): OracleError {
  const keyword = error.keyword === 'imageType' ? 'type' : error.keyword;
  return { pointer: error.instancePath, code: codeOf(keyword, error.params.format) };
}

const silentBranches = new Set(['anyOf', 'oneOf', 'not', 'if', 'contains', 'propertyNames']);

/** Whether an error stands outside every branch that reports only as a whole. */
function isReported(root: SchemaNode, error: ErrorObject): boolean {
  const tokens = error.schemaPath.split('/').slice(1, -1);
  if (error.keyword === 'if') {
    return false;
  }
  let node: unknown = root;
  for (let i = 0; i < tokens.length && typeof node === 'object' && node !== null; i++) {
    const keyword = tokens[i]!;
    if (silentBranches.has(keyword)) {
      return false;
    }
    node = Reflect.get(node, keyword);
    if (applicators[keyword] !== 'schema' && i + 1 < tokens.length) {
      i++;
      const name = decodeURIComponent(tokens[i]!).replaceAll('~1', '/').replaceAll('~0', '~');
      node = typeof node === 'object' && node !== null ? Reflect.get(node, name) : undefined;
    }
  }
  return true;
}
