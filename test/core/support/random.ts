// Small seeded generator (mulberry32): a failing case is named by its seed and run again alone.

/** In [0, 1). */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** In [0, count). */
export function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)]!;
}

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = below(random, at + 1);
    [copy[at], copy[other]] = [copy[other]!, copy[at]!];
  }
  return copy;
}

/** The base seed of a suite: DAGWRIGHT_SEED or a fixed one, printed so that a failure can be run again. */
export function baseSeed(suite: string, usual: number): number {
  const seed = Number(process.env.DAGWRIGHT_SEED ?? usual);
  console.info(`${suite}: seed ${seed}`);
  return seed;
}
