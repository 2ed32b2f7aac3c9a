/**
 * Patterns to deterministic automata over UTF-8 bytes: Thompson's construction, subsets, then Moore's minimisation.
 * One table look-up a byte decides a cell, whatever the pattern: time is linear in the text.
 */
import type { CodePoints } from './code-points.ts';
import { type ParsedPattern, PatternRefused, type RegexNode } from './parse.ts';
import { utf8Sequences } from './utf8.ts';

export interface Automaton {
  states: number;
  /** next[state * 256 + byte]. */
  next: Uint16Array;
  /** 1 where a text may end. */
  accepts: Uint8Array;
  start: number;
}

/** Memory and compile time are bounded; a pattern beyond is refused. */
const nfaStatesMax = 40_000;
const dfaStatesMax = 4_000;
const anything: RegexNode = {
  kind: 'repeat',
  item: { kind: 'set', points: [[0, 0x10ffff]] },
  min: 0,
  max: Number.POSITIVE_INFINITY,
};

type Edge = [fromByte: number, toByte: number, target: number];

class Nfa {
  readonly jumps: number[][] = [];
  readonly edges: Edge[][] = [];
  private readonly sequences = new Map<CodePoints, [number, number][][]>();

  state(): number {
    if (this.jumps.length >= nfaStatesMax) {
      throw new PatternRefused('a pattern this large');
    }
    this.edges.push([]);
    return this.jumps.push([]) - 1;
  }

  jump(from: number, to: number): void {
    this.jumps[from]!.push(to);
  }

  /** Adds the node's states after `from`; returns where it ends. */
  add(node: RegexNode, from: number): number {
    switch (node.kind) {
      case 'set':
        return this.addSet(node.points, from);
      case 'sequence':
        return node.items.reduce((at, item) => this.add(item, at), from);
      case 'choice':
        return this.addChoice(node.items, from);
      case 'repeat':
        return this.addRepeat(node.item, node.min, node.max, from);
    }
  }

  private addSet(points: CodePoints, from: number): number {
    let sequences = this.sequences.get(points);
    if (sequences === undefined) {
      sequences = points.flatMap(([first, last]) => utf8Sequences(first, last));
      this.sequences.set(points, sequences);
    }
    const end = this.state();
    // Sequences with the same ending share its states: a set of thousands of ranges stays small.
    const shared = new Map<string, number>();
    for (const sequence of sequences) {
      let target = end;
      for (const [low, high] of sequence.slice(1).reverse()) {
        const key = `${low} ${high} ${target}`;
        const state = shared.get(key) ?? this.state();
        if (!shared.has(key)) {
          shared.set(key, state);
          this.edges[state]!.push([low, high, target]);
        }
        target = state;
      }
      const [low, high] = sequence[0]!;
      this.edges[from]!.push([low, high, target]);
    }
    return end;
  }

  private addChoice(items: RegexNode[], from: number): number {
    const end = this.state();
    for (const item of items) {
      const start = this.state();
      this.jump(from, start);
      this.jump(this.add(item, start), end);
    }
    return end;
  }

  private addRepeat(item: RegexNode, min: number, max: number, from: number): number {
    let at = from;
    for (let i = 0; i < min; i++) {
      at = this.add(item, at);
    }
    const end = this.state();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.state();
      this.jump(at, loop);
      this.jump(this.add(item, loop), loop);
      this.jump(loop, end);
      return end;
    }
    this.jump(at, end);
    for (let i = min; i < max; i++) {
      at = this.add(item, at);
      this.jump(at, end);
    }
    return end;
  }

  /** All states reachable without reading, sorted; states that only jump are left out. */
  closure(states: Iterable<number>, end: number): number[] {
    const seen = new Set(states);
    const open = [...seen];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      for (const target of this.jumps[state]!) {
        if (!seen.has(target)) {
          seen.add(target);
          open.push(target);
        }
      }
    }
    return [...seen].filter((s) => s === end || this.edges[s]!.length > 0).sort((a, b) => a - b);
  }
}

/** Throws PatternRefused where the automaton would be too large. */
export function buildAutomaton(pattern: ParsedPattern): Automaton {
  const nfa = new Nfa();
  const start = nfa.state();
  const end = nfa.state();
  for (const branch of pattern.branches) {
    const entry = nfa.state();
    nfa.jump(start, entry);
    const items = [branch.node];
    if (!branch.anchoredStart) {
      items.unshift(anything);
    }
    if (!branch.anchoredEnd) {
      items.push(anything);
    }
    nfa.jump(nfa.add({ kind: 'sequence', items }, entry), end);
  }
  return minimize(determinize(nfa, start, end));
}

/** The subset construction. State 0 is the dead state. */
function determinize(nfa: Nfa, start: number, end: number): Automaton {
  const ids = new Map<string, number>([['', 0]]);
  const subsets: number[][] = [[]];
  const rows: Uint16Array[] = [];
  const idOf = (subset: number[]): number => {
    const key = subset.join();
    let id = ids.get(key);
    if (id === undefined) {
      if (subsets.length >= dfaStatesMax) {
        throw new PatternRefused('a pattern whose automaton has this many states');
      }
      id = subsets.push(subset) - 1;
      ids.set(key, id);
    }
    return id;
  };
  const startId = idOf(nfa.closure([start], end));
  for (let i = 0; i < subsets.length; i++) {
    rows.push(transitions(nfa, subsets[i]!, end, idOf));
  }
  const next = new Uint16Array(rows.length * 256);
  rows.forEach((row, i) => {
    next.set(row, i * 256);
  });
  const accepts = Uint8Array.from(subsets, (subset) => Number(subset.includes(end)));
  return { states: rows.length, next, accepts, start: startId };
}

function transitions(nfa: Nfa, subset: number[], end: number, idOf: (subset: number[]) => number): Uint16Array {
  const row = new Uint16Array(256);
  const edges = subset.flatMap((state) => nfa.edges[state]!);
  const cuts = [...new Set(edges.flatMap(([low, high]) => [low, high + 1]))].sort((a, b) => a - b);
  const known = new Map<string, number>();
  for (let k = 0; k + 1 < cuts.length; k++) {
    const targets = new Set(edges.filter(([low, high]) => low <= cuts[k]! && cuts[k]! <= high).map((edge) => edge[2]));
    const key = [...targets].join();
    let id = known.get(key);
    if (id === undefined) {
      id = targets.size === 0 ? 0 : idOf(nfa.closure(targets, end));
      known.set(key, id);
    }
    row.fill(id, cuts[k], cuts[k + 1]);
  }
  return row;
}

/** Moore's algorithm: split classes until two states of one class go to the same classes on every byte. */
function minimize(dfa: Automaton): Automaton {
  let classes = Uint16Array.from(dfa.accepts);
  let count = new Set(classes).size;
  for (;;) {
    const ids = new Map<string, number>();
    const split = classes.map((own, state) => {
      const signature = [own];
      for (let byte = 0; byte < 256; byte++) {
        const target = classes[dfa.next[state * 256 + byte]!]!;
        if (byte === 0 || target !== signature.at(-1)) {
          signature.push(byte, target);
        }
      }
      const key = signature.join();
      const id = ids.get(key) ?? ids.size;
      ids.set(key, id);
      return id;
    });
    classes = split;
    if (ids.size === count) {
      break;
    }
    count = ids.size;
  }
  const next = new Uint16Array(count * 256);
  const accepts = new Uint8Array(count);
  for (let state = 0; state < dfa.states; state++) {
    const id = classes[state]!;
    accepts[id] = dfa.accepts[state]!;
    for (let byte = 0; byte < 256; byte++) {
      next[id * 256 + byte] = classes[dfa.next[state * 256 + byte]!]!;
    }
  }
  return { states: count, next, accepts, start: classes[dfa.start]! };
}
