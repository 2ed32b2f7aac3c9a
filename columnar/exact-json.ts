/**
 * JSON (RFC 8259) in which numbers keep their digits: `JSON.parse` would round 9007199254740993 and 0.10000000000000001.
 * A member that stands twice in one object is refused, since readers disagree on which one counts.
 */
import { HuitongError } from '../lib/errors.ts';

/** A number, as it is written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;
/** A Map, so that a member named `__proto__` is one like any other. */
export type JsonObject = Map<string, JsonValue>;

const DEPTH_MAX = 512;
const whitespace = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// Up to the first escape; most strings have none.
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 excludes exactly these
const plain = /"[^"\\\u0000-\u001f]*"/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 excludes exactly these
const escaped = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const literals: [string, JsonValue][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** Throws JSON_INVALID with the position, JSON_AMBIGUOUS with the member. No value of the text is in the message. */
export function parseExactJson(text: string): JsonValue {
  const parser = new Parser(text);
  return parser.document();
}

class Parser {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonValue {
    const value = this.value();
    this.skip();
    if (this.at < this.text.length) throw this.invalid('text after the end of the document');
    return value;
  }

  private value(): JsonValue {
    this.skip();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === '{') return this.nested(() => this.object());
    if (first === '[') return this.nested(() => this.array());
    const digits = this.token(number);
    if (digits !== undefined && digits !== '') return new JsonNumber(digits);
    const literal = literals.find(([word]) => this.text.startsWith(word, this.at));
    if (literal === undefined) throw this.invalid('expected a value');
    this.at += literal[0].length;
    return literal[1];
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > DEPTH_MAX) throw this.invalid(`deeper than ${DEPTH_MAX}`);
    this.at++;
    const value = read();
    this.depth--;
    return value;
  }

  private object(): JsonObject {
    const members: JsonObject = new Map();
    if (this.takes('}')) return members;
    do {
      this.skip();
      const name = this.string();
      if (members.has(name)) throw new HuitongError('JSON_AMBIGUOUS', `the member ${JSON.stringify(name)} twice`);
      if (!this.takes(':')) throw this.invalid('expected ":"');
      members.set(name, this.value());
    } while (this.takes(','));
    if (!this.takes('}')) throw this.invalid('expected "," or "}"');
    return members;
  }

  private array(): JsonValue[] {
    const items: JsonValue[] = [];
    if (this.takes(']')) return items;
    do items.push(this.value());
    while (this.takes(','));
    if (!this.takes(']')) throw this.invalid('expected "," or "]"');
    return items;
  }

  private string(): string {
    const simple = this.token(plain);
    if (simple !== undefined) return simple.slice(1, -1);
    const token = this.token(escaped);
    if (token === undefined) throw this.invalid('expected a string');
    return JSON.parse(token) as string;
  }

  private takes(character: string): boolean {
    this.skip();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private skip(): void {
    this.token(whitespace);
  }

  private token(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private invalid(message: string): HuitongError {
    return new HuitongError('JSON_INVALID', `${message} at character ${this.at}`);
  }
}

/** JSON text without blanks, numbers as they came. */
export function exactJsonText(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(exactJsonText).join(',')}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${exactJsonText(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** What an RFC 6901 pointer leads to; undefined where there is nothing. */
export function atPointer(value: JsonValue | undefined, pointer: string): JsonValue | undefined {
  if (pointer === '') return value;
  let at = value;
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (at instanceof Map) at = at.get(name);
    else if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(name) ? at[Number(name)] : undefined;
    else return undefined;
  }
  return at;
}
