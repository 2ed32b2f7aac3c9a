/** Keywords of a schema over one column: which decision each asks for, and which share one pass. */
import {
  type Column,
  type Decision,
  decideBounds,
  decideFormat,
  decideFormatLimit,
  decideLength,
  decideMembers,
  decideMultipleOf,
  decidePattern,
  decideType,
} from './cell-tests.ts';
import type { Kernel } from './check.ts';
import { formatLimits, type SchemaObject, typesOf } from './keywords.ts';

const mergeableBounds = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']);
const lengths = new Set(['minLength', 'maxLength']);

/** Marked by a kernel of `mergedKernels`, together with its neighbours. */
export function isMerged(keyword: string): boolean {
  return mergeableBounds.has(keyword) || lengths.has(keyword);
}

/** What decides one keyword of a schema over a column. */
export function decide(schema: SchemaObject, keyword: string, column: Column): Decision {
  const value = schema[keyword];
  switch (keyword) {
    case 'type':
      return decideType(column, typesOf(value));
    case 'const':
      return decideMembers(column, [value]);
    case 'enum':
      return decideMembers(column, value as unknown[]);
    case 'multipleOf':
      return decideMultipleOf(column, Number(value));
    case 'minLength':
      return decideLength(column, Number(value), Number.POSITIVE_INFINITY);
    case 'maxLength':
      return decideLength(column, 0, Number(value));
    case 'pattern':
      return decidePattern(column, String(value));
    case 'format':
      return decideFormat(column, String(value));
    default:
      return formatLimits.has(keyword)
        ? decideFormatLimit(column, keyword, String(value), String(schema.format))
        : decideBounds(column, { [keyword]: value });
  }
}

/** Keywords about one type say nothing of null. */
export function failsNull(keyword: string, value: unknown): boolean {
  switch (keyword) {
    case 'type':
      return !typesOf(value).includes('null');
    case 'const':
      return value !== null;
    case 'enum':
      return !(value as unknown[]).includes(null);
    default:
      return false;
  }
}

/** Bounds in one pass, lengths in one pass. */
export function mergedKernels(schema: SchemaObject, column: Column): Kernel[] {
  const kernels: Kernel[] = [];
  const bounds = Object.entries(schema).filter(([keyword]) => mergeableBounds.has(keyword));
  if (bounds.length > 0) {
    const decision = decideBounds(column, Object.fromEntries(bounds));
    kernels.push(...(typeof decision === 'object' ? [decision.kernel] : []));
  }
  if ('minLength' in schema || 'maxLength' in schema) {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
    const decision = decideLength(column, Number(minLength), Number(maxLength));
    kernels.push(...(typeof decision === 'object' ? [decision.kernel] : []));
  }
  return kernels;
}
