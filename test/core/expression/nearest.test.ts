// The guess behind every hint.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName } from '../../../src/core/expression/nearest.ts';

test.each([
  ['inptu', 'input'],
  ['fetc', 'fetch'],
  ['Fetch', 'fetch'],
  ['executoin', 'execution'],
  ['exec', 'execution'],
  ['fetchUsers', 'fetch'],
  ['zzz', null],
  ['x', null],
  ['', null],
])('the name nearest to %j is %j', (name, expected) => {
  expect(nearestName(name, ['input', 'fetch', 'execution', 'a'])).toBe(expected);
});

/** Optimal string alignment, by the whole table. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  return rows[a.length]![b.length]!;
}

test('a name is near where the distance is at most two, and half of its length', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(word, word, (name, candidate) => {
      fc.pre(name !== candidate);
      const allowed = Math.min(2, Math.floor(Math.max(name.length, candidate.length) / 2));
      const begins =
        Math.min(name.length, candidate.length) >= 3 &&
        (name.startsWith(candidate) || candidate.startsWith(name));
      const isNear = distance(name, candidate) <= allowed || begins;
      expect(nearestName(name, [candidate])).toBe(isNear ? candidate : null);
    }),
    { numRuns: 2_000 },
  );
});
