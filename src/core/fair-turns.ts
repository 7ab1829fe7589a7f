// Shares out the turns of an event loop. Each piece of work that a tenant sends is bounded by itself; what comes together in one
// turn of the loop (the answers of twenty tasks, five bodies) must not add up to one long turn, in which nobody else is heard.
//   T1  A piece may begin at once while its turn has lasted for less than `longestMs` and none waits; else it waits for a turn.
//   T2  In each turn waiting pieces begin one after the other until its time is over: at least one, however long it takes.
//   T3  Whoever waits, waits behind its own: keys (tenants) take turns.
// A turn so lasts for `longestMs` and one piece at most, as far as it is made of pieces; where there is time, nothing is put off and
// no promise is made but where several ask at the same moment.

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
  /** A piece was let begin, and its work is not done yet. */
  #isBeginning = false;

  constructor({ nowMs, atNextTurn, longestMs = LONGEST_MS }: FairTurnsOptions) {
    this.#nowMs = nowMs;
    this.#atNextTurn = atNextTurn;
    this.#longestMs = longestMs;
  }

  /** `await` it right before a piece of this key's work: null where it may begin at once. */
  begin(key: string): Promise<void> | null {
    if (this.#beganAtMs === null) {
      this.#beganAtMs = this.#nowMs();
      this.#atNextTurn(() => this.#endTurn());
    }
    if (this.#waiting.size === 0 && !this.#isBeginning && this.#hasTime()) {
      this.#letGoOn();
      return null;
    }
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
    this.#letGoOn();
  }

  // What was let begin does so in one of the next two microtasks; only behind it is it known how long it took.
  #letGoOn(): void {
    this.#isBeginning = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        this.#isBeginning = false;
        if (this.#hasTime()) this.#letOneBegin();
      }),
    );
  }
}
