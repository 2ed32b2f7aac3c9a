/**
 * Patterns (ECMA-262 with the `u` flag, as JSON Schema asks) as trees, in the part of the language that a finite
 * automaton can decide: literals, classes, `\d \w \s \p{…}`, groups, alternatives, counted repeats, and `^` and `$`
 * at the ends of the whole pattern. Look-around, back-references and word boundaries are outside and are refused.
 */
import {
  type CodePoints,
  complement,
  digits,
  lineTerminators,
  propertySet,
  spaces,
  union,
  words,
} from './code-points.ts';

export type RegexNode =
  | { kind: 'set'; points: CodePoints }
  | { kind: 'sequence'; items: RegexNode[] }
  | { kind: 'choice'; items: RegexNode[] }
  /** `max` is Infinity where there is no upper bound. */
  | { kind: 'repeat'; item: RegexNode; min: number; max: number };

export interface ParsedPattern {
  /** Alternatives of the whole pattern, each with its own anchors. */
  branches: { node: RegexNode; anchoredStart: boolean; anchoredEnd: boolean }[];
}

/** The pattern is outside what runs in linear time here; the message says which construct. */
export class PatternRefused extends Error {}

/** Repeats are written out in the automaton, so counts are bounded. */
const repeatMax = 1000;
const syntaxCharacters = '^$\\.*+?()[]{}|/';
const controls: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const anyPoint = complement(lineTerminators);

type Atom = { point: number } | { points: CodePoints };

const setOf = (atom: Atom): CodePoints => ('points' in atom ? atom.points : [[atom.point, atom.point]]);

/** Throws PatternRefused. The pattern must be valid for `new RegExp(pattern, 'u')`: the caller has tried. */
export function parsePattern(pattern: string): ParsedPattern {
  return new Parser(pattern).parse();
}

class Parser {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  parse(): ParsedPattern {
    const branches: ParsedPattern['branches'] = [];
    do {
      const anchoredStart = this.take('^');
      const items = this.items();
      const anchoredEnd = this.take('$');
      if (this.at < this.source.length && this.source[this.at] !== '|') {
        throw new PatternRefused('an anchor inside the pattern');
      }
      branches.push({ node: { kind: 'sequence', items }, anchoredStart, anchoredEnd });
    } while (this.take('|'));
    return { branches };
  }

  private take(text: string): boolean {
    const found = this.source.startsWith(text, this.at);
    this.at += found ? text.length : 0;
    return found;
  }

  private items(): RegexNode[] {
    const items: RegexNode[] = [];
    while (this.at < this.source.length && !'|)$^'.includes(this.source[this.at]!)) {
      items.push(this.repeated(this.item()));
    }
    return items;
  }

  private item(): RegexNode {
    if (this.take('(')) {
      return this.group();
    }
    if (this.take('[')) {
      return { kind: 'set', points: this.characterClass() };
    }
    if (this.take('.')) {
      return { kind: 'set', points: anyPoint };
    }
    return { kind: 'set', points: setOf(this.take('\\') ? this.escape(false) : { point: this.point() }) };
  }

  private group(): RegexNode {
    if (this.take('?')) {
      if (!this.take(':')) {
        if (!/^<[^=!]/.test(this.source.slice(this.at))) {
          throw new PatternRefused('look-around or an inline flag');
        }
        this.at = this.source.indexOf('>', this.at) + 1;
      }
    }
    const branches: RegexNode[] = [];
    do {
      branches.push({ kind: 'sequence', items: this.items() });
    } while (this.take('|'));
    if (!this.take(')')) {
      throw new PatternRefused('an anchor inside a group');
    }
    return branches.length === 1 ? branches[0]! : { kind: 'choice', items: branches };
  }

  private repeated(item: RegexNode): RegexNode {
    const counted = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.source.slice(this.at));
    if (counted === null) {
      return item;
    }
    this.at += counted[0].length;
    // A lazy repeat matches the same texts.
    this.take('?');
    const [quantifier, minText, comma, maxText] = counted;
    if (minText === undefined) {
      return {
        kind: 'repeat',
        item,
        min: quantifier === '+' ? 1 : 0,
        max: quantifier === '?' ? 1 : Number.POSITIVE_INFINITY,
      };
    }
    const min = Number(minText);
    const max = maxText ? Number(maxText) : comma ? Number.POSITIVE_INFINITY : min;
    if (min > repeatMax || (max !== Number.POSITIVE_INFINITY && max > repeatMax)) {
      throw new PatternRefused(`a repeat of more than ${repeatMax}`);
    }
    return { kind: 'repeat', item, min, max };
  }

  private point(): number {
    const point = this.source.codePointAt(this.at)!;
    this.at += point > 0xffff ? 2 : 1;
    return point;
  }

  private characterClass(): CodePoints {
    const negated = this.take('^');
    let points: CodePoints = [];
    while (!this.take(']')) {
      const from = this.classAtom();
      if (this.source[this.at] === '-' && this.source[this.at + 1] !== ']' && 'point' in from) {
        this.at++;
        const to = this.classAtom();
        points = union(points, [[from.point, (to as { point: number }).point]]);
      } else {
        points = union(points, setOf(from));
      }
    }
    return negated ? complement(points) : points;
  }

  private classAtom(): Atom {
    return this.take('\\') ? this.escape(true) : { point: this.point() };
  }

  private escape(inClass: boolean): Atom {
    const letter = this.source[this.at++]!;
    switch (letter) {
      case 'd':
        return { points: digits };
      case 'D':
        return { points: complement(digits) };
      case 'w':
        return { points: words };
      case 'W':
        return { points: complement(words) };
      case 's':
        return { points: spaces };
      case 'S':
        return { points: complement(spaces) };
      case 'p':
      case 'P':
        return { points: this.property(letter) };
      case '0':
        return { point: 0 };
      case 'x':
        return { point: this.hex(2) };
      case 'u':
        return { point: this.unicodeEscape() };
      case 'c':
        return { point: this.source.charCodeAt(this.at++) % 32 };
      case 'b':
        if (inClass) {
          return { point: 8 };
        }
        throw new PatternRefused('a word boundary');
    }
    const control = controls[letter];
    if (control !== undefined) {
      return { point: control };
    }
    if (syntaxCharacters.includes(letter) || letter === '-') {
      return { point: letter.charCodeAt(0) };
    }
    throw new PatternRefused(/[\dkB]/.test(letter) ? 'a back-reference or boundary' : `the escape \\${letter}`);
  }

  private property(letter: 'p' | 'P'): CodePoints {
    const end = this.source.indexOf('}', this.at) + 1;
    const name = this.source.slice(this.at, end);
    this.at = end;
    return propertySet(`\\${letter}${name}`);
  }

  private hex(length: number): number {
    const value = Number.parseInt(this.source.slice(this.at, this.at + length), 16);
    this.at += length;
    return value;
  }

  private unicodeEscape(): number {
    if (this.take('{')) {
      const end = this.source.indexOf('}', this.at);
      const value = this.hex(end - this.at);
      this.at++;
      return value;
    }
    const high = this.hex(4);
    const low = /^\\u(d[c-f][\da-f]{2})/i.exec(this.source.slice(this.at));
    if (high >= 0xd800 && high < 0xdc00 && low !== null) {
      this.at += 6;
      return 0x10000 + ((high - 0xd800) << 10) + (Number.parseInt(low[1]!, 16) - 0xdc00);
    }
    return high;
  }
}
