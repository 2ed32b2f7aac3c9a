/**
 * What is refused before it is understood: JSON that two parsers would read differently, schemas that could reach the
 * network or run for ever, text that is not what it seems. Findings carry a pointer and never the value.
 */
import { HuitongError, type Problem } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { pointerTo } from './pointer.ts';
import { StrictJsonParser } from './strict-json.ts';

/**
 * Parses JSON that has one meaning: UTF-8, no duplicate member, no `__proto__`, no number that loses digits.
 * Throws JSON_AMBIGUOUS, ENCODING, SCHEMA_UNSAFE (deeper than `contractDepthMax`) or JSON_INVALID, with the pointer.
 */
export function parseStrictJson(input: string | Uint8Array): unknown {
  return new StrictJsonParser(typeof input === 'string' ? input : decodeUtf8(input)).parse();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HuitongError('ENCODING', 'the document is not UTF-8', { cause });
  }
}

/** NUL, lone surrogates, and the bidirectional controls that make text look like other text (Unicode TR 36). */
const forbiddenInNames = /[\0\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/** Throws ENCODING where a name (of a column, a file, a department) holds what nobody can see. */
export function assertSafeName(name: string, pointer: string): void {
  if (forbiddenInNames.test(name)) {
    throw new HuitongError('ENCODING', 'a name holds NUL, a lone surrogate or a bidirectional control', { pointer });
  }
}

/** Throws ID_MUST_BE_STRING: an 18-digit identifier as a JSON number has already lost digits. */
export function assertIdIsString(value: unknown, pointer: string): asserts value is string {
  if (typeof value !== 'string') {
    throw new HuitongError('ID_MUST_BE_STRING', 'an identifier must be a JSON string', { pointer });
  }
}

const refusedKeywords: Record<string, string> = {
  $anchor: 'use a JSON pointer into $defs',
  $dynamicAnchor: 'dynamic references are not linear-time',
  $dynamicRef: 'dynamic references are not linear-time',
  $recursiveRef: 'dynamic references are not linear-time',
  $vocabulary: 'a contract has one fixed vocabulary',
};

/** Every SCHEMA_UNSAFE finding of a schema document: size, depth, remote references, `$data`. */
export function unsafeFindings(document: unknown): Problem[] {
  const size = Buffer.byteLength(JSON.stringify(document));
  if (size > limits.contractBytesMax) {
    return [unsafe('', `the document is larger than ${limits.contractBytesMax} bytes`)];
  }
  const problems: Problem[] = [];
  walk(document, '', 0, problems);
  return problems;
}

function unsafe(pointer: string, message: string): Problem {
  return { code: 'SCHEMA_UNSAFE', message, pointer };
}

function walk(value: unknown, pointer: string, depth: number, problems: Problem[]): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (depth > limits.contractDepthMax) {
    problems.push(unsafe(pointer, `nested deeper than ${limits.contractDepthMax}`));
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    const at = pointer + pointerTo(key);
    if (key === '$ref' && typeof member === 'string' && !member.startsWith('#/')) {
      problems.push(unsafe(at, 'a reference must point into this document (#/…)'));
    } else if (key === '$data') {
      problems.push(unsafe(at, '$data makes the schema depend on the data'));
    } else if (Object.hasOwn(refusedKeywords, key)) {
      problems.push(unsafe(at, `${key}: ${refusedKeywords[key]}`));
    }
    walk(member, at, depth + 1, problems);
  }
}

/** Throws the findings as one error: the first one's code, all of them in `problems`. */
export function throwFindings(problems: Problem[], what: string): void {
  const [first] = problems;
  if (first === undefined) {
    return;
  }
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new HuitongError(first.code, `${what}: ${first.message}${more}`, { pointer: first.pointer, problems });
}
