/**
 * What is refused of a request before any schema sees it (GOVERNANCE.md, inputs to refuse): JSON that two readers would
 * read differently, text that PostgreSQL cannot keep, and nesting that no document of ours has.
 */
import type { FastifyInstance } from 'fastify';
import { parseStrictJson } from '../contracts/safety.ts';
import type { ErrorCode } from '../lib/error-codes.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** With the flag u a pair of surrogates is one character, of another category. */
const LONE_SURROGATE = /\p{Surrogate}/u;

export function installJsonBody(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_request: unknown, text: string) =>
    parseJsonBody(text),
  );
  app.addHook('preValidation', async ({ params, query }) => {
    requirePlain(params);
    requirePlain(query);
  });
}

/**
 * @throws REQUEST_INVALID for what is no JSON, or is nested deeper than `contractDepthMax`
 * @throws JSON_AMBIGUOUS for a member given twice, or named `__proto__`; ENCODING for NUL and lone surrogates
 */
export function parseJsonBody(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Its message would quote the text.
    throw new HuitongError('REQUEST_INVALID', '请求内容不是 JSON · the body is not JSON', { pointer: '' });
  }
  const members = requirePlain(value);
  if (members === membersIn(text)) return value;
  // JSON.parse keeps the last of two; the slow parser says which they are.
  parseStrictJson(text);
  throw new HuitongError('JSON_AMBIGUOUS', 'the same member twice');
}

/** How many members the value has, over all its objects. Without recursion: the depth is a stranger's. */
function requirePlain(root: unknown): number {
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value: root, pointer: '', depth: 0 }];
  let members = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, pointer, depth } = next;
    if (typeof value === 'string') requireText(value, pointer);
    if (typeof value !== 'object' || value === null) continue;
    if (depth > limits.contractDepthMax) throw refused('REQUEST_INVALID', '嵌套过深 · it is nested too deep', '');
    const isList = Array.isArray(value);
    for (const [name, member] of Object.entries(value)) {
      if (!isList) members++;
      const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (name === '__proto__') throw refused('JSON_AMBIGUOUS', 'a member named __proto__', at);
      if (!isList) requireText(name, pointer);
      open.push({ value: member, pointer: at, depth: depth + 1 });
    }
  }
  return members;
}

function requireText(text: string, pointer: string): void {
  if (!text.includes('\0') && !LONE_SURROGATE.test(text)) return;
  throw refused('ENCODING', 'the text has NUL or half a character in it', pointer);
}

/** Colons outside of strings: one for each member as it was written. */
function membersIn(text: string): number {
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === COLON) members++;
    else if (unit === QUOTE) i = endOfString(text, i);
  }
  return members;
}

/** Of the string that begins at `start`, in valid JSON: the first quote behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
}

function refused(code: ErrorCode, message: string, pointer: string): HuitongError {
  return new HuitongError(code, message, { pointer });
}
