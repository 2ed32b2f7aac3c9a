/** Patterns such as `^\d{17}[\dX]$`: one length, and a class of bytes for each position. */
import type { Automaton } from './automaton.ts';

export interface FixedShape {
  length: number;
  /** refuses[byte] has bit k where the byte is not in class k. */
  refuses: Uint8Array;
  /** The bit of each position's class. */
  classBits: Uint8Array;
}

const lengthMax = 64;
/** One bit of a byte each. */
const classesMax = 8;

/** Null where the pattern's texts are not a product of byte classes. */
export function fixedShape(automaton: Automaton): FixedShape | null {
  const live = reachesAccept(automaton);
  const positions: Uint8Array[] = [];
  let state = automaton.start;
  for (;;) {
    const step = onlySuccessor(automaton, state, live);
    if (step === null || (step.target !== null) === (automaton.accepts[state] === 1)) {
      return null;
    }
    if (step.target === null) {
      return shapeOf(positions);
    }
    positions.push(step.bytes);
    state = step.target;
    if (positions.length > lengthMax) {
      return null;
    }
  }
}

/** 1 for states from which some text is accepted. */
function reachesAccept({ states, next, accepts }: Automaton): Uint8Array {
  const live = accepts.slice();
  for (let changed = true; changed; ) {
    changed = false;
    for (let state = 0; state < states; state++) {
      if (live[state] === 0 && next.subarray(state * 256, state * 256 + 256).some((target) => live[target] === 1)) {
        live[state] = 1;
        changed = true;
      }
    }
  }
  return live;
}

/** The one live state that bytes lead to, and which bytes; a null target where none does; null where several do. */
function onlySuccessor(
  { next }: Automaton,
  state: number,
  live: Uint8Array,
): { target: number | null; bytes: Uint8Array } | null {
  const bytes = new Uint8Array(256);
  let target: number | null = null;
  for (let byte = 0; byte < 256; byte++) {
    const to = next[state * 256 + byte]!;
    if (live[to] === 0) {
      continue;
    }
    if (target !== null && target !== to) {
      return null;
    }
    target = to;
    bytes[byte] = 1;
  }
  return { target, bytes };
}

function shapeOf(positions: Uint8Array[]): FixedShape | null {
  const classes: Uint8Array[] = [];
  const classBits = Uint8Array.from(positions, (bytes) => {
    const known = classes.findIndex((other) => other.every((member, byte) => member === bytes[byte]));
    return 1 << (known >= 0 ? known : classes.push(bytes) - 1);
  });
  if (classes.length > classesMax) {
    return null;
  }
  const refuses = new Uint8Array(256);
  classes.forEach((bytes, k) => {
    for (let byte = 0; byte < 256; byte++) {
      refuses[byte] = refuses[byte]! | (bytes[byte] === 1 ? 0 : 1 << k);
    }
  });
  return { length: positions.length, refuses, classBits };
}
