/** A contract's file: strict JSON, safe, and of a contract's shape. What its keywords mean is judged in `contracts/`. */
import type { ContractDocument } from '../../contracts/contract.ts';
import { pointerTo } from '../../contracts/pointer.ts';
import { parseStrictJson, unsafeFindings } from '../../contracts/safety.ts';
import { isHuitongError, type Problem } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Declared } from './declarations.ts';
import { type ReadDocument, readDocument } from './document.ts';

const semanticVersion = /^(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})$/;

/** Adds the contract to `into` where it has no problems. */
export function readContract(path: string, text: string, into: Map<string, Declared<ContractDocument>>): Problem[] {
  const value = parsed(path, text);
  if (value.problem !== undefined) return [value.problem];
  const document = readDocument(path, text);
  if (document.value === undefined) return document.problems;
  const problems = [
    ...unsafeFindings(value.json).map((finding) => ({ ...finding, at: document.at(finding.pointer ?? '') })),
    ...shapeFindings(document, value.json),
  ];
  if (problems.length === 0) into.set(path, { value: value.json as ContractDocument, document, pointer: '' });
  return problems;
}

function parsed(path: string, text: string): { json?: unknown; problem?: Problem } {
  try {
    return { json: parseStrictJson(text) };
  } catch (e) {
    if (!isHuitongError(e)) throw e;
    const line = e.at?.replace(/^line /, '') ?? '1';
    return { problem: { code: e.code, message: e.message, at: `${path}:${line}`, pointer: e.pointer } };
  }
}

/** The two members that JSON Schema does not know, and what they refer to. */
function shapeFindings(document: ReadDocument, json: unknown): Problem[] {
  const invalid = (pointer: string, message: string) => document.problem('CONTRACT_INVALID', pointer, message);
  if (!isObject(json)) return [invalid('', 'must be an object')];
  const problems: Problem[] = [];
  const { version, key, type, properties, required = [] } = json;
  if (typeof version !== 'string' || !semanticVersion.test(version)) {
    problems.push(invalid('/version', '"version" must be a semantic version, for instance 1.0.0'));
  }
  if (type !== 'object') problems.push(invalid('/type', '"type" must be object: a contract describes a row'));
  if (!isObject(properties)) return [...problems, invalid('/properties', '"properties" must be an object')];
  const names = Object.keys(properties);
  if (names.length === 0 || names.length > limits.columnsMax) {
    problems.push(invalid('/properties', `a contract has 1 to ${limits.columnsMax} properties`));
  }
  if (!isStrings(key) || key.length === 0)
    return [...problems, invalid('/key', '"key" must list at least one property')];
  if (new Set(key).size < key.length) problems.push(invalid('/key', 'a property is listed twice'));
  if (!isStrings(required)) return [...problems, invalid('/required', '"required" must be a list of properties')];
  for (const [member, list] of Object.entries({ key, required })) {
    for (const [i, name] of list.entries()) {
      if (!names.includes(name)) problems.push(invalid(pointerTo(member, i), 'names no property of the contract'));
    }
  }
  return problems;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
