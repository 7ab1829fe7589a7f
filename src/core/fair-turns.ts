// Shares out the turns of an event loop. Each piece of work that a tenant sends is bounded by itself; what comes together in one
// turn of the loop (the answers of twenty tasks, five bodies) must not add up to one long turn, in which nobody else is heard.
//   T1  A piece may begin at once while its turn has lasted for less than `longestMs` and none waits; else it waits for a turn.
//   T2  In each turn waiting pieces begin one after the other until its time is over: at least one, however long it takes.
//   T3  Whoever waits, waits behind its own: keys (tenants) take turns.
// A turn so lasts for `longestMs` and one piece at most, as far as it is made of pieces; where there is time, nothing is put off and
// no promise is made.

export interface FairTurnsOptions {
  readonly nowMs: () => number;
  /** Calls back in the next turn, after whatever else it has. */
  readonly atNextTurn: (callback: () => void) => void;
  readonly longestMs?: number;
}

const LONGEST_MS = 12;

export class FairTurns {
  readonly #nowMs: () => number;
  readonly #atNextTurn: (callback: () => void) => void;
  readonly #longestMs: number;
  /** By key, in the order in which keys have their turns. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** When the first piece of this turn began; null: none has. */
  #beganAtMs: number | null = null;

  constructor({ nowMs, atNextTurn, longestMs = LONGEST_MS }: FairTurnsOptions) {
    this.#nowMs = nowMs;
    this.#atNextTurn = atNextTurn;
    this.#longestMs = longestMs;
  }

  /** Does a piece of this key's work: at once where there is time, and then no promise is made but the work's own. */
  run<T>(key: string, work: () => T): T | Promise<Awaited<T>> {
    if (this.#beganAtMs === null) {
      this.#beganAtMs = this.#nowMs();
      this.#atNextTurn(() => this.#endTurn());
    }
    if (this.#waiting.size === 0 && this.#hasTime()) return work();
    return this.#turnOf(key).then(work) as Promise<Awaited<T>>;
  }

  #turnOf(key: string): Promise<void> {
    return new Promise((begin) => {
      const own = this.#waiting.get(key);
      if (own === undefined) this.#waiting.set(key, [begin]);
      else own.push(begin);
    });
  }

  #hasTime(): boolean {
    return this.#beganAtMs !== null && this.#nowMs() - this.#beganAtMs < this.#longestMs;
  }

  #endTurn(): void {
    if (this.#waiting.size === 0) {
      this.#beganAtMs = null;
      return;
    }
    this.#beganAtMs = this.#nowMs();
    this.#atNextTurn(() => this.#endTurn());
    this.#letOneBegin();
  }

  // T2.
  #letOneBegin(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [key, [begin, ...others]] = first;
    this.#waiting.delete(key);
    if (others.length > 0) this.#waiting.set(key, others);
    begin!();
    // It begins in the next microtask; only behind it is it known how long it took.
    queueMicrotask(() =>
      queueMicrotask(() => {
        if (this.#hasTime()) this.#letOneBegin();
      }),
    );
  }
}
