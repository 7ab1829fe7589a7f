// Counts by key in seconds of the clock. What was counted is forgotten with each second, so it holds no more keys than one
// second can bring.
const WINDOW_MS = 1_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, number>();
  #window = 0;

  /** `nowMs`: any clock in milliseconds. */
  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Counts one; how many more this second allows, negative where it was one too many. */
  take(key: string): number {
    this.#turn();
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return this.#perSecond - count;
  }

  #turn(): void {
    const window = Math.floor(this.#nowMs() / WINDOW_MS);
    if (window === this.#window) return;
    this.#window = window;
    this.#counts.clear();
  }
}
