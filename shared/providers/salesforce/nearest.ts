/** Longer texts are not compared: the answer would be no help and the table quadratic. */
const CHARS_MAX = 80;

/** Edits (insert, delete, replace) that turn one text into the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** The candidate most like `text`, ignoring case, or undefined if none is like it by more than half. */
export function findNearest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > CHARS_MAX) return undefined;
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    if (candidate.length > CHARS_MAX) continue;
    const edits = distance(text.toLowerCase(), candidate.toLowerCase());
    if (edits <= Math.max(text.length, candidate.length) / 2 && edits < (best?.edits ?? Infinity)) {
      best = { candidate, edits };
    }
  }
  return best?.candidate;
}
