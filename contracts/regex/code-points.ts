/** Sets of Unicode code points as sorted, disjoint, non-adjacent ranges, both ends included. */
export type CodePoints = [from: number, to: number][];

const lastPoint = 0x10ffff;

function normalize(ranges: CodePoints): CodePoints {
  const out: CodePoints = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + 1) {
      last[1] = Math.max(last[1], to);
    } else {
      out.push([from, to]);
    }
  }
  return out;
}

export function union(a: CodePoints, b: CodePoints): CodePoints {
  return normalize([...a, ...b]);
}

export function complement(points: CodePoints): CodePoints {
  const out: CodePoints = [];
  let next = 0;
  for (const [from, to] of normalize(points)) {
    if (from > next) {
      out.push([next, from - 1]);
    }
    next = to + 1;
  }
  return next <= lastPoint ? [...out, [next, lastPoint]] : out;
}

/** `\d`, `\w`, `\s` and what `.` leaves out (ECMA-262, CharacterClassEscape, WhiteSpace and LineTerminator). */
export const digits: CodePoints = [[48, 57]];
export const words: CodePoints = normalize([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]);
export const lineTerminators: CodePoints = normalize([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);
export const spaces: CodePoints = normalize([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);

const properties = new Map<string, CodePoints>();

/** The set of `\p{…}` or `\P{…}`, asked of the JavaScript engine point by point, once. */
export function propertySet(expression: string): CodePoints {
  const known = properties.get(expression);
  if (known !== undefined) {
    return known;
  }
  const compiled = new RegExp(expression, 'u');
  const out: CodePoints = [];
  for (let point = 0; point <= lastPoint; point++) {
    if (compiled.test(String.fromCodePoint(point))) {
      out.push([point, point]);
    }
  }
  const points = normalize(out);
  properties.set(expression, points);
  return points;
}
