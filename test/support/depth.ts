// How deep the tests go that try many made-up cases: random programs, properties, zones, rounds.
//
// `npm test` tries a fifth of them, so that it stays something people run; `npm run check`, and with it CI, tries all, by
// DAGWRIGHT_TEST_DEPTH=full. The cases of a fifth are the first of the full ones where a seed is fixed.

export const isFullDepth = process.env.DAGWRIGHT_TEST_DEPTH === 'full';

/** The number of cases to try out of `full`. */
export function depth(full: number): number {
  return isFullDepth ? full : Math.ceil(full / 5);
}

/** The cases to try of a full list: every fifth, or all. */
export function casesOf<T>(full: readonly T[]): readonly T[] {
  return isFullDepth ? full : full.filter((_, n) => n % 5 === 0);
}
