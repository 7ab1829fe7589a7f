// Finds the name an author probably meant, for the `hint` of a problem.

const MAX_DISTANCE = 2;

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
    const distance = damerauLevenshtein(wanted, candidate);
    if (distance <= allowed) return distance;
  }
  const shorter = Math.min(wanted.length, candidate.length);
  if (shorter >= 3 && (candidate.startsWith(wanted) || wanted.startsWith(candidate))) return MAX_DISTANCE + 1;
  return Number.POSITIVE_INFINITY;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function damerauLevenshtein(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
