/** `pattern`, compiled to run in linear time over UTF-8, for columns and for ajv alike. */
import { stringFormat } from '../formats/text.ts';
import { type Automaton, buildAutomaton } from './automaton.ts';
import { parsePattern } from './parse.ts';

const cacheMax = 512;
const cache = new Map<string, Automaton>();

/**
 * Throws PatternRefused where the pattern is outside the linear-time part of the language, and SyntaxError where it is
 * no expression at all (`new RegExp(pattern, 'u')` decides).
 */
export function compilePattern(pattern: string): Automaton {
  let automaton = cache.get(pattern);
  if (automaton === undefined) {
    new RegExp(pattern, 'u');
    automaton = buildAutomaton(parsePattern(pattern));
    if (cache.size >= cacheMax) {
      cache.clear();
    }
    cache.set(pattern, automaton);
  }
  return automaton;
}

function matchesBytes(automaton: Automaton, bytes: Uint8Array, start: number, end: number): boolean {
  const { next, accepts } = automaton;
  let state = automaton.start;
  for (let i = start; i < end; i++) {
    state = next[state * 256 + bytes[i]!]!;
  }
  return accepts[state] === 1;
}

/** Tests strings. Unlike a byte, a lone surrogate is no text: it is tested as U+FFFD. */
export function patternTest(pattern: string): (text: string) => boolean {
  const automaton = compilePattern(pattern);
  return stringFormat((bytes, start, end) => matchesBytes(automaton, bytes, start, end));
}
