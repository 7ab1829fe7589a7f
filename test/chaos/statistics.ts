// What the chaos run counts with: a seeded source of chance, percentiles, and how sure a proportion is.

/** Chance that repeats with its seed (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)]!;
  }
}

/** A number that depends on a text only (FNV-1a, 32 bits). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The value below which `share` of the values lie; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => percentile(values, 0.5);

export const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);

/** Upper end of the 95 % Wilson score interval of `hits` in `tries`, as a share. */
export function wilsonUpper(hits: number, tries: number): number {
  if (tries === 0) return 1;
  const z = 1.96;
  const share = hits / tries;
  const middle = share + z ** 2 / (2 * tries);
  const spread = z * Math.sqrt((share * (1 - share)) / tries + z ** 2 / (4 * tries ** 2));
  return Math.min(1, (middle + spread) / (1 + z ** 2 / tries));
}

/** "0 of 118 (at most 3.2 %)": what was seen, and the Wilson bound of what it may be. */
export function proportion(hits: number, tries: number): string {
  return `${hits} of ${tries} (at most ${(wilsonUpper(hits, tries) * 100).toFixed(1)} %)`;
}

/** "7.4 s", "140 ms". */
export function duration(ms: number): string {
  if (Number.isNaN(ms)) return 'none';
  if (ms === Number.POSITIVE_INFINITY) return 'never';
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}
