/** A contract's file: strict JSON, and a contract as `contracts/` judges it, with the line of each finding. */
import { validateContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { pointerTo } from '../../contracts/pointer.ts';
import { parseStrictJson } from '../../contracts/safety.ts';
import { isHuitongError, type Problem } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Declared } from './declarations.ts';
import { readDocument } from './document.ts';

/** Adds the contract to `into` where it has no problems. */
export function readContract(path: string, text: string, into: Map<string, Declared<ContractDocument>>): Problem[] {
  const { json, problem } = parsed(path, text);
  if (problem !== undefined) return [problem];
  const document = readDocument(path, text);
  const problems = findings(json).map((finding) => ({ ...finding, at: document.at(finding.pointer ?? '') }));
  if (problems.length === 0) into.set(path, { value: json as ContractDocument, document, pointer: '' });
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

function findings(json: unknown): Problem[] {
  if (!isObject(json)) return [invalid('', 'a contract is a JSON object')];
  const document = json as ContractDocument;
  try {
    validateContract(document);
  } catch (e) {
    if (isHuitongError(e) && e.problems !== undefined) return e.problems;
    throw e;
  }
  return nameFindings(document);
}

/** `key` and `required` name properties; a dataset has as many columns as a part can hold. */
function nameFindings({ properties, key, required = [] }: ContractDocument): Problem[] {
  const problems: Problem[] = [];
  const columns = Object.keys(properties).length;
  if (columns === 0 || columns > limits.columnsMax) {
    problems.push(invalid('/properties', `a contract has 1 to ${limits.columnsMax} properties`));
  }
  for (const [member, names] of Object.entries({ key, required })) {
    for (const [i, name] of names.entries()) {
      const pointer = pointerTo(member, i);
      if (!Object.hasOwn(properties, name)) problems.push(invalid(pointer, 'names no property of the contract'));
      if (names.indexOf(name) < i) problems.push(invalid(pointer, 'is listed twice'));
    }
  }
  return problems;
}

function invalid(pointer: string, message: string): Problem {
  return { code: 'CONTRACT_INVALID', message, pointer };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
