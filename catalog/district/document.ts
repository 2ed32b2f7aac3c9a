/** One file of a district, read with the line of every node, so that a finding can say where it is. */

import { type Document, isMap, isNode, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ErrorCode, Problem } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

export interface ReadDocument {
  path: string;
  /** Plain JSON data; undefined where the file cannot be read at all. */
  value: unknown;
  problems: Problem[];
  /** `path:line` of a pointer, or of the nearest part of it that exists. */
  at(pointer: string): string;
  /** A finding at a pointer. */
  problem(code: ErrorCode, pointer: string, message: string): Problem;
}

/** YAML 1.2 core, or JSON, which is a part of it. Aliases are refused: a small file could expand without end. */
export function readDocument(path: string, text: string): ReadDocument {
  const lines = new LineCounter();
  const tooLong = Buffer.byteLength(text) > limits.definitionBytesMax;
  const parsed = parseDocument(tooLong ? '' : text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const at = (pointer: string) => `${path}:${lines.linePos(offsetOf(parsed.contents, pointer)).line}`;
  const problem = (code: ErrorCode, pointer: string, message: string): Problem => ({
    code,
    message,
    at: at(pointer),
    pointer,
  });
  const problems: Problem[] = [...parsed.errors, ...parsed.warnings].map((error) => ({
    code: error.code === 'DUPLICATE_KEY' ? 'JSON_AMBIGUOUS' : 'DEFINITION_INVALID',
    message: error.code === 'DUPLICATE_KEY' ? 'a member is given twice' : `not readable as YAML: ${error.code}`,
    at: `${path}:${error.linePos?.[0].line ?? 1}`,
  }));
  if (tooLong) problems.push(problem('DEFINITION_INVALID', '', `longer than ${limits.definitionBytesMax} bytes`));
  if (problems.length > 0) return { path, value: undefined, problems, at, problem };
  const value = toData(parsed);
  if (value === undefined)
    problems.push(problem('DEFINITION_INVALID', '', 'empty, or with aliases, which are not allowed'));
  return { path, value, problems, at, problem };
}

function toData(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? undefined;
  } catch (e) {
    if (e instanceof ReferenceError) return undefined;
    throw e;
  }
}

/** RFC 6901. */
function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Where the node begins; a member of a map begins with its key. */
function offsetOf(root: unknown, pointer: string): number {
  let node: unknown = root;
  let offset = startOf(root);
  for (const segment of segmentsOf(pointer)) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === segment);
      if (pair === undefined) return offset;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(segment)];
      if (node === undefined) return offset;
      offset = startOf(node);
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number {
  return (isNode(node) ? (node as Node).range?.[0] : undefined) ?? 0;
}
