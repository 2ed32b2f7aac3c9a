/** A JSON parser (RFC 8259) that refuses what parsers disagree on; `parseStrictJson` in safety.ts is its door. */
import type { ErrorCode } from '../lib/error-codes.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { compareExact, ExactNumber } from './exact.ts';
import { pointerTo } from './pointer.ts';

const whitespace = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// Anything but a quote, a backslash or a control character; escapes are decoded by JSON.parse.
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 excludes exactly these
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const literals: [string, unknown][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
/** A longer exponent is no quantity; it would only make the exactness test expensive. */
const exponentMax = 400;

export class StrictJsonParser {
  private readonly text: string;
  private at = 0;
  private readonly path: (string | number)[] = [];

  constructor(text: string) {
    this.text = text;
  }

  parse(): unknown {
    const value = this.value();
    this.skip();
    if (this.at < this.text.length) {
      throw this.error('JSON_INVALID', 'text after the end of the document');
    }
    return value;
  }

  private error(code: ErrorCode, message: string): HuitongError {
    const line = this.text.slice(0, this.at).split('\n').length;
    return new HuitongError(code, message, { at: `line ${line}`, pointer: pointerTo(...this.path) });
  }

  private skip(): void {
    whitespace.lastIndex = this.at;
    whitespace.exec(this.text);
    this.at = whitespace.lastIndex;
  }

  private take(expected: string): boolean {
    const found = this.text.startsWith(expected, this.at);
    this.at += found ? expected.length : 0;
    return found;
  }

  private token(expression: RegExp): string | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    this.at += found?.[0].length ?? 0;
    return found?.[0] ?? null;
  }

  private value(): unknown {
    this.skip();
    if (this.path.length > limits.contractDepthMax) {
      throw this.error('SCHEMA_UNSAFE', `nested deeper than ${limits.contractDepthMax}`);
    }
    if (this.take('{')) {
      return this.object();
    }
    if (this.take('[')) {
      return this.array();
    }
    if (this.text[this.at] === '"') {
      return this.string();
    }
    for (const [text, value] of literals) {
      if (this.take(text)) {
        return value;
      }
    }
    return this.number();
  }

  private object(): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    this.skip();
    if (this.take('}')) {
      return members;
    }
    do {
      this.skip();
      const name = this.string();
      this.path.push(name);
      if (name === '__proto__') {
        throw this.error('JSON_AMBIGUOUS', 'a member named __proto__');
      }
      if (Object.hasOwn(members, name)) {
        throw this.error('JSON_AMBIGUOUS', 'the same member twice');
      }
      this.skip();
      this.expect(':');
      members[name] = this.value();
      this.path.pop();
      this.skip();
    } while (this.take(','));
    this.expect('}');
    return members;
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    this.skip();
    if (this.take(']')) {
      return items;
    }
    do {
      this.path.push(items.length);
      items.push(this.value());
      this.path.pop();
      this.skip();
    } while (this.take(','));
    this.expect(']');
    return items;
  }

  private expect(character: string): void {
    if (!this.take(character)) {
      throw this.error('JSON_INVALID', `expected "${character}"`);
    }
  }

  private string(): string {
    const token = this.token(string);
    if (token === null) {
      throw this.error('JSON_INVALID', 'expected a string');
    }
    const value: string = JSON.parse(token);
    if (/[\0\p{Cs}]/u.test(value)) {
      throw this.error('ENCODING', 'a string holds NUL or a lone surrogate');
    }
    return value;
  }

  private number(): number {
    const token = this.token(number);
    if (token === null) {
      throw this.error('JSON_INVALID', 'expected a value');
    }
    const value = Number(token);
    if (!keepsItsDigits(token, value)) {
      throw this.error('JSON_AMBIGUOUS', 'a number that loses digits in a double; write it as a string');
    }
    return value;
  }
}

function keepsItsDigits(token: string, value: number): boolean {
  const [mantissa = '', exponentText = '0'] = token.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText) - fraction.length;
  if (!Number.isFinite(value) || Math.abs(exponent) > exponentMax) {
    return false;
  }
  const digits = BigInt(whole + fraction);
  const exact =
    exponent > 0 ? new ExactNumber(digits * 10n ** BigInt(exponent), 0) : new ExactNumber(digits, -exponent);
  return compareExact(exact, value) === 0;
}
