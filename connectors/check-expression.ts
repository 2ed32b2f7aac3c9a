/**
 * Simple CHECK expressions, as databases print them back (`pg_get_expr`, MariaDB's `check_clause`), in the words of a
 * contract: comparisons with a number or a date, BETWEEN, IN, a regular expression, a length; joined by AND. Every part
 * is guaranteed by itself, so a part that is not understood is left out; under OR and NOT nothing is.
 */
import type { ColumnGuarantees } from './connector.ts';

/** The column that a check is about. */
export interface CheckSubject {
  /** As it may be called: its name, and VALUE in a domain. */
  names: string[];
  /**
   * How its cells compare with a literal; absent for types of which that is not known. `folded`: text of which several
   * spellings are equal, by case or by blanks at the end, so that only its length can be told.
   */
  kind?: 'number' | 'text' | 'folded' | 'date';
  /** Functions that count its characters. */
  lengths: string[];
  /** Of `char(n)`: every cell has this length, and is compared without its blanks. */
  paddedTo?: number;
}

/** `word`: a name without quotes, which may be one of the language. */
type Token = { kind: 'name' | 'word' | 'string' | 'number' | 'symbol'; text: string };
type Operand = { kind: 'column' } | { kind: 'length' } | { kind: 'literal'; token: Token } | undefined;

export function guaranteesOfCheck(expression: string, subject: CheckSubject): ColumnGuarantees {
  const tokens = tokenize(expression);
  if (tokens === undefined) return {};
  return Object.assign({}, ...conjuncts(tokens).map((part) => guaranteeOf(unwrap(part), subject)));
}

const TOKEN =
  /\s*(?:(?<string>E?'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)|(?<number>\d+(?:\.\d+)?(?![\w.]))|(?<name>[\p{L}_][\p{L}\p{N}_$]*)|(?<symbol>::|<>|<=|>=|!~\*?|~\*|~~|[-+*/<>=~()[\],.]))/uy;

/** Undefined where something is in it that is not among the tokens of simple checks. */
function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let end = text.trimEnd().length; TOKEN.lastIndex < end; ) {
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { string, quoted, number, name, symbol } = groups;
    // Escapes of E'…' and backslashes mean different things in different places.
    if (string?.startsWith('E')) return undefined;
    if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1).replaceAll("''", "'") });
    else if (quoted !== undefined) tokens.push({ kind: 'name', text: unquoted(quoted) });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'word', text: name });
    else tokens.push({ kind: 'symbol', text: symbol ?? '' });
  }
  return withoutCasts(tokens);
}

function unquoted(name: string): string {
  const quote = name.charAt(0);
  return name.slice(1, -1).replaceAll(quote + quote, quote);
}

/** `::character varying(10)[]` and the like say nothing of the values that simple checks compare. */
function withoutCasts(tokens: Token[]): Token[] {
  const kept: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!isSymbol(tokens[i], '::')) {
      kept.push(tokens[i]!);
      continue;
    }
    i++;
    while (tokens[i + 1]?.kind === 'word' && typeWords.has(tokens[i + 1]!.text)) i++;
    if (isSymbol(tokens[i + 1], '.')) i += 2;
    if (isSymbol(tokens[i + 1], '(')) while (i + 1 < tokens.length && !isSymbol(tokens[i], ')')) i++;
    while (isSymbol(tokens[i + 1], '[')) i += 2;
  }
  return kept;
}

/** The second and later words of a type's name. */
const typeWords = new Set(['varying', 'precision', 'with', 'without', 'time', 'zone']);

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

/** The parts that are joined by AND at the top, however deep the parentheses around them. */
function conjuncts(tokens: Token[]): Token[][] {
  const inner = unwrap(tokens);
  const parts: Token[][] = [[]];
  let depth = 0;
  let isBetween = false;
  for (const token of inner) {
    if (isSymbol(token, '(') || isSymbol(token, '[')) depth++;
    if (isSymbol(token, ')') || isSymbol(token, ']')) depth--;
    if (depth === 0 && ['OR', 'XOR', 'NOT'].some((word) => isWord(token, word))) return [];
    if (depth === 0 && isWord(token, 'AND') && !isBetween) {
      parts.push([]);
      continue;
    }
    if (depth === 0 && isWord(token, 'BETWEEN')) isBetween = true;
    else if (depth === 0 && isWord(token, 'AND')) isBetween = false;
    parts.at(-1)!.push(token);
  }
  return parts.length === 1 ? parts : parts.flatMap(conjuncts);
}

function unwrap(tokens: Token[]): Token[] {
  let inner = tokens;
  while (isSymbol(inner[0], '(') && closing(inner) === inner.length - 1) inner = inner.slice(1, -1);
  return inner;
}

/** Where the parenthesis that opens at 0 closes. */
function closing(tokens: Token[]): number {
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')') && --depth === 0) return i;
  }
  return -1;
}

const comparisons = ['<', '<=', '>', '>=', '=', '~'];
const mirrored: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' };

function guaranteeOf(tokens: Token[], subject: CheckSubject): ColumnGuarantees {
  const at = operatorPlace(tokens);
  if (at < 0) return {};
  const operator = tokens[at]!.text.toUpperCase();
  const left = operandOf(tokens.slice(0, at), subject);
  const right = tokens.slice(at + 1);
  if (operator === 'BETWEEN') return between(left, right, subject);
  if (operator === 'IN') return left?.kind === 'column' ? oneOf(unwrap(right), subject) : {};
  if (operator === '=' && left?.kind === 'column' && isWord(right[0], 'ANY')) return listed(right.slice(1), subject);
  const other = operandOf(right, subject);
  if (left?.kind === 'literal' && mirrored[operator] !== undefined) {
    return compared(other, mirrored[operator], left.token, subject);
  }
  return other?.kind === 'literal' ? compared(left, operator, other.token, subject) : {};
}

function operatorPlace(tokens: Token[]): number {
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    if (depth === 0 && token.kind === 'symbol' && comparisons.includes(token.text)) return i;
    if (depth === 0 && (isWord(token, 'BETWEEN') || isWord(token, 'IN'))) return i;
  }
  return -1;
}

function operandOf(tokens: Token[], subject: CheckSubject): Operand {
  const inner = unwrap(tokens);
  const [first, second] = inner;
  if (first === undefined) return undefined;
  if (inner.length === 1) {
    if (first.kind === 'name' || first.kind === 'word')
      return subject.names.includes(first.text) ? { kind: 'column' } : undefined;
    return first.kind === 'symbol' ? undefined : { kind: 'literal', token: first };
  }
  if (inner.length === 2 && isSymbol(first, '-') && second?.kind === 'number') {
    return { kind: 'literal', token: { kind: 'number', text: `-${second.text}` } };
  }
  if (isSymbol(first, '-') && inner.length > 2) {
    const literal = operandOf(inner.slice(1), subject);
    const isNumber = literal?.kind === 'literal' && literal.token.kind === 'number';
    return isNumber ? { kind: 'literal', token: { kind: 'number', text: `-${literal.token.text}` } } : undefined;
  }
  const isLength = first.kind === 'word' && subject.lengths.includes(first.text);
  return isLength && operandOf(inner.slice(1), subject)?.kind === 'column' ? { kind: 'length' } : undefined;
}

/** `= ANY (ARRAY['a', 'b'])`, which is how IN is printed. */
function listed(tokens: Token[], subject: CheckSubject): ColumnGuarantees {
  const inner = unwrap(tokens);
  if (!isWord(inner[0], 'ARRAY') || !isSymbol(inner[1], '[') || !isSymbol(inner.at(-1), ']')) return {};
  return oneOf(inner.slice(2, -1), subject);
}

function between(operand: Operand, range: Token[], subject: CheckSubject): ColumnGuarantees {
  const and = range.findIndex((token) => isWord(token, 'AND'));
  const [from, to] = [range.slice(0, and), range.slice(and + 1)].map((part) => operandOf(part, subject));
  if (from?.kind !== 'literal' || to?.kind !== 'literal') return {};
  return { ...compared(operand, '>=', from.token, subject), ...compared(operand, '<=', to.token, subject) };
}

function oneOf(list: Token[], subject: CheckSubject): ColumnGuarantees {
  const items = split(list).map((part) => operandOf(part, { ...subject, names: [] }));
  const literals = items.map((item) => (item?.kind === 'literal' ? literalOf(item.token, subject) : undefined));
  return literals.length === 0 || literals.includes(undefined) ? {} : { enum: literals as (string | number)[] };
}

function split(tokens: Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    if (depth === 0 && isSymbol(token, ',')) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

/** Undefined where the column's cells could be written otherwise than the literal is. */
function literalOf(token: Token, { kind, paddedTo }: CheckSubject): string | number | undefined {
  if (kind === 'text' && token.kind === 'string') return token.text.padEnd(paddedTo ?? 0);
  return kind === 'number' ? exactNumber(token.text) : undefined;
}

/** Undefined for a number that a double would round. */
function exactNumber(text: string): number | undefined {
  const plain = /^-?\d{1,15}(\.\d{1,6})?$/.test(text) && text.replace(/[-.]/g, '').length <= 15;
  return plain ? Number(text) : undefined;
}

const bounds: Record<string, keyof ColumnGuarantees> = {
  '>': 'exclusiveMinimum',
  '>=': 'minimum',
  '<': 'exclusiveMaximum',
  '<=': 'maximum',
};
const dateBounds: Record<string, keyof ColumnGuarantees> = {
  '>': 'formatExclusiveMinimum',
  '>=': 'formatMinimum',
  '<': 'formatExclusiveMaximum',
  '<=': 'formatMaximum',
};

function compared(operand: Operand, operator: string, literal: Token, subject: CheckSubject): ColumnGuarantees {
  if (operand?.kind === 'length') return lengthBound(operator, literal, subject);
  if (operand?.kind !== 'column') return {};
  if (operator === '~') {
    const safe = literal.kind === 'string' && subject.kind === 'text' && subject.paddedTo === undefined;
    return safe && meansTheSame(literal.text) ? { pattern: literal.text } : {};
  }
  if (operator === '=') {
    const value = literalOf(literal, subject);
    return value === undefined ? {} : { enum: [value] };
  }
  if (subject.kind === 'date' && literal.kind === 'string' && /^\d{4}-\d\d-\d\d$/.test(literal.text)) {
    return { [dateBounds[operator]!]: literal.text };
  }
  const value = subject.kind === 'number' ? exactNumber(literal.text) : undefined;
  return value === undefined ? {} : { [bounds[operator]!]: value };
}

function lengthBound(operator: string, literal: Token, { kind, paddedTo }: CheckSubject): ColumnGuarantees {
  const count = literal.kind === 'number' ? exactNumber(literal.text) : undefined;
  const isText = kind === 'text' || kind === 'folded';
  if (count === undefined || !Number.isInteger(count) || count < 0 || !isText || paddedTo) return {};
  switch (operator) {
    case '>':
      return { minLength: count + 1 };
    case '>=':
      return { minLength: count };
    case '<':
      return count === 0 ? {} : { maxLength: count - 1 };
    case '<=':
      return { maxLength: count };
    case '=':
      return { minLength: count, maxLength: count };
    default:
      return {};
  }
}

/**
 * Whether PostgreSQL (POSIX, with its own escapes) and ECMAScript read the expression alike. A dot matches a line end
 * there and not here; `\d` may be any script's digits; `[[:alpha:]]` is not known here.
 */
function meansTheSame(pattern: string): boolean {
  const outsideClasses = pattern.replace(/\\[.\-+*?()[\]{}|^$/]/g, '').replace(/\[\^?[^\][\\]+\]/g, '');
  return !/[\\[\].]|\(\?|\*\*|\+\+|^\*/.test(outsideClasses);
}
