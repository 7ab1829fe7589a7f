// Finds the name an author probably meant, for the `hint` of a problem.

const MAX_DISTANCE = 2;
/** Characters compared for all hints of one report: about 0.2 s. */
const HINT_BUDGET = 3_000_000;

/** Finds near names for one report; null also where it has compared so many already that more would cost too much. */
export function createSuggest(): (name: string, candidates: Iterable<string>) => string | null {
  let left = HINT_BUDGET;
  return (name, candidates) => {
    if (name.length > 100 || left <= 0) return null;
    const names = [...candidates];
    left -= names.length * Math.max(8, name.length);
    return nearestName(name, names);
  };
}

/**
 * The candidate within Damerau-Levenshtein distance 2 of `name` (case ignored first), or one that begins with it or that
 * it begins with; null when nothing is near. Ties go to the earlier candidate. Never `name` itself.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  if (wanted.length === 0 || wanted.length > 200) return null;
  let best: string | null = null;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const score = distanceScore(wanted, candidate.toLowerCase());
    if (score < bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

/** Lower is nearer; infinite when not near. A shared prefix of 3 or more counts just behind two typing errors. */
function distanceScore(wanted: string, candidate: string): number {
  // Two errors in a name of three letters would make everything near everything.
  const allowed = Math.min(MAX_DISTANCE, Math.floor(Math.max(wanted.length, candidate.length) / 2));
  if (Math.abs(wanted.length - candidate.length) <= allowed) {
    const distance = distanceWithin(wanted, candidate, allowed);
    if (distance <= allowed) return distance;
  }
  const shorter = Math.min(wanted.length, candidate.length);
  if (shorter >= 3 && (candidate.startsWith(wanted) || wanted.startsWith(candidate))) return MAX_DISTANCE + 1;
  return Number.POSITIVE_INFINITY;
}

/**
 * Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. Infinite where it is more than `most`:
 * only the cells that near the diagonal are looked at, so that a pair costs its length and not its square.
 */
function distanceWithin(a: string, b: string, most: number): number {
  const far = most + 1;
  const newRow = () => new Uint8Array(b.length + 2).fill(far);
  let [beforeLast, last, row] = [newRow(), newRow(), newRow()];
  for (let j = 0; j <= Math.min(b.length, most); j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const from = Math.max(1, i - most);
    const to = Math.min(b.length, i + most);
    row[from - 1] = from === 1 && i <= most ? i : far;
    let nearest = row[from - 1]!;
    for (let j = from; j <= to; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost, far);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row[j] = best;
      nearest = Math.min(nearest, best);
    }
    row[to + 1] = far;
    if (nearest >= far) return Number.POSITIVE_INFINITY;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return last[b.length]! <= most ? last[b.length]! : Number.POSITIVE_INFINITY;
}
