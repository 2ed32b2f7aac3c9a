/** The known name that takes the fewest edits (Levenshtein) from what was written; the first of equals. */
export function nearestName(written: string, known: readonly string[]): string {
  let nearest = known[0];
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = editDistance(written.toLowerCase(), name.toLowerCase());
    if (edits < fewest) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
    above = row;
  }
  return above[b.length];
}
