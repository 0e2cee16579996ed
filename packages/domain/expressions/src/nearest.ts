/** Longer words are not compared: a typing error is unlikely to give them, and the cost is quadratic. */
const WORD_LENGTH_MAX = 64;

/** The known word that a mistyped one most likely means; undefined when more than a third of it differs from each. */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const lower = word.toLowerCase();
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    if (candidate.length > 2 * WORD_LENGTH_MAX) continue;
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    // So many inserts at least: most candidates need no comparison of letters.
    if (Math.abs(word.length - candidate.length) > limit) continue;
    const distance = toEditDistance(lower, candidate.toLowerCase());
    if (distance > limit) continue;
    if (best === undefined || distance < best.distance) best = { word: candidate, distance };
  }
  return best?.word;
}

/** Number of edits between two words: insert, delete, replace, swap of neighbours (optimal string alignment). */
export function toEditDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
