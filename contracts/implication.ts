/**
 * Whether one schema promises at least what another does: every value valid under `next` is valid under `old`. Proofs
 * only: where none of the rules shows it, the answer is no.
 */
import { compareExact } from './exact.ts';
import { ticksOf } from './format-limits.ts';
import type { ImageValue } from './image.ts';
import { keywordType, type SchemaNode, type SchemaObject, typesOf } from './keywords.ts';
import { createOracle, equalImages } from './oracle.ts';

/** Keywords that mean something only together are equal together or not at all. */
const groups = [
  ['if', 'then', 'else'],
  ['contains', 'minContains', 'maxContains'],
  ['items', 'prefixItems'],
  ['properties', 'patternProperties', 'additionalProperties'],
];
const allTypes = ['null', 'boolean', 'number', 'string', 'array', 'object'];
const greater = new Set(['minLength', 'minItems', 'minProperties']);
const smaller = new Set(['maxLength', 'maxItems', 'maxProperties']);

export function implies(next: SchemaNode, old: SchemaNode): boolean {
  if (old === true || next === false) {
    return true;
  }
  if (next === true) {
    return typeof old === 'object' && Object.keys(old).length === 0;
  }
  if (old === false) {
    return finiteMembers(next)?.length === 0;
  }
  const members = finiteMembers(next);
  if (members !== null) {
    const oracle = createOracle(old);
    return members.every((member) => oracle.passes(member as ImageValue));
  }
  const given = conjunction(next);
  return conjunction(old).every((part) => Object.keys(part).every((keyword) => keywordImplied(given, part, keyword)));
}

/** A schema and all that it asks for by `allOf`, flat. A `false` among them stays as an empty `enum`. */
function conjunction(schema: SchemaNode): SchemaObject[] {
  if (typeof schema === 'boolean') {
    return schema ? [] : [{ enum: [] }];
  }
  const { allOf = [], ...own } = schema;
  return [own, ...(allOf as SchemaNode[]).flatMap(conjunction)];
}

/** The values that `enum` or `const` leaves, where one stands; the other keywords may leave fewer. */
function finiteMembers(schema: SchemaObject): unknown[] | null {
  for (const part of conjunction(schema)) {
    if ('const' in part) {
      return [part.const];
    }
    if ('enum' in part) {
      return part.enum as unknown[];
    }
  }
  return null;
}

function possibleTypes(given: SchemaObject[]): string[] {
  return given.reduce((possible, { type }) => {
    if (type === undefined) {
      return possible;
    }
    const own = typesOf(type);
    return possible.flatMap((t) => {
      if (own.includes(t)) {
        return [t];
      }
      return (t === 'number' && own.includes('integer')) || (t === 'integer' && own.includes('number'))
        ? ['integer']
        : [];
    });
  }, allTypes);
}

function keywordImplied(given: SchemaObject[], old: SchemaObject, keyword: string): boolean {
  const types = possibleTypes(given);
  const about = keywordType(keyword);
  if (about !== null && !types.some((t) => t === about || (about === 'number' && t === 'integer'))) {
    return true;
  }
  if (keyword === 'type') {
    const allowed = typesOf(old.type);
    return types.every((t) => allowed.includes(t) || (t === 'integer' && allowed.includes('number')));
  }
  if (keyword === 'anyOf') {
    const branches = old.anyOf as SchemaNode[];
    return given.some((g) => equalImages(g.anyOf, old.anyOf)) || branches.some((b) => implies({ allOf: given }, b));
  }
  return given.some((g) => partImplies(g, old, keyword));
}

function groupOf(keyword: string): string[] {
  const limit = keyword.startsWith('format') && keyword !== 'format';
  return groups.find((group) => group.includes(keyword)) ?? (limit ? ['format', keyword] : [keyword]);
}

function partImplies(given: SchemaObject, old: SchemaObject, keyword: string): boolean {
  const group = groupOf(keyword);
  if (group.every((k) => equalImages(given[k], old[k]))) {
    return true;
  }
  const [own, bound] = [given[keyword], old[keyword]];
  switch (keyword) {
    case 'minimum':
    case 'exclusiveMinimum':
      return lowerImplied(given, Number(bound), keyword === 'exclusiveMinimum');
    case 'maximum':
    case 'exclusiveMaximum':
      return upperImplied(given, Number(bound), keyword === 'exclusiveMaximum');
    case 'multipleOf':
      return typeof own === 'number' && createOracle({ multipleOf: bound }).passes(own);
  }
  if (greater.has(keyword)) {
    return typeof own === 'number' && own >= Number(bound);
  }
  if (smaller.has(keyword)) {
    return typeof own === 'number' && own <= Number(bound);
  }
  return keyword.startsWith('format') && given.format === old.format && limitImplied(keyword, own, bound);
}

function lowerImplied({ minimum, exclusiveMinimum }: SchemaObject, bound: number, strict: boolean): boolean {
  const above = typeof exclusiveMinimum === 'number' && compareExact(exclusiveMinimum, bound) >= 0;
  const difference = typeof minimum === 'number' ? compareExact(minimum, bound) : -1;
  return above || (strict ? difference > 0 : difference >= 0);
}

function upperImplied({ maximum, exclusiveMaximum }: SchemaObject, bound: number, strict: boolean): boolean {
  const below = typeof exclusiveMaximum === 'number' && compareExact(exclusiveMaximum, bound) <= 0;
  const difference = typeof maximum === 'number' ? compareExact(maximum, bound) : 1;
  return below || (strict ? difference < 0 : difference <= 0);
}

/** The same keyword on both sides, with dates in order. */
function limitImplied(keyword: string, own: unknown, bound: unknown): boolean {
  const [a, b] = [own, bound].map((limit) => (typeof limit === 'string' ? ticksOf(limit) : null));
  if (a === null || b === null || a === undefined || b === undefined) {
    return false;
  }
  return keyword === 'formatMinimum' || keyword === 'formatExclusiveMinimum' ? a >= b : a <= b;
}
