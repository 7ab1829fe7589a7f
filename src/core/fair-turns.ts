// Shares out the turns of an event loop. Each piece of work that a tenant sends is bounded by itself; what comes together in one
// turn of the loop (the answers of twenty tasks, five bodies) must not add up to one long turn, in which nobody else is heard.
//   T1  A piece may begin at once while its turn has lasted for less than `longestMs` and none waits; else it waits for a turn.
//   T2  In each turn waiting pieces begin one after the other until its time is over: at least one, however long it takes.
//   T3  Whoever waits, waits behind its own: keys (tenants) take turns, and the parts of a key (its webhooks) take those of the key.
//   T4  What one release costs does not depend on how much waits.
// A turn so lasts for `longestMs` and one piece at most, as far as it is made of pieces; where there is time, nothing is put off and
// no promise is made.
//
// How much waits has no number of its own. Each piece belongs to something that was let in before and is counted there: an attempt to
// a slot, a body, delivery or answer to an open request (connections and their bytes), a plan to a job, an event to its pass. Each of them
// asks for one piece at a time and waits for it, so that what waits is no more than what was let in, and what a piece holds in memory
// is held and counted already. A bound here could only refuse what the house has promised to do (settle a result, answer a request), to
// somebody who can do nothing about it; where there is too much, less is to be let in.
import { Line, TakingTurns } from './taking-turns.ts';

type Begin = () => void;

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
  /** By key and part. */
  readonly #waiting = new TakingTurns<Begin, TakingTurns<Begin, Line<Begin>>>(
    () => new TakingTurns(() => new Line()),
  );
  /** When the first piece of this turn began; null: none has. */
  #beganAtMs: number | null = null;

  constructor({ nowMs, atNextTurn, longestMs = LONGEST_MS }: FairTurnsOptions) {
    this.#nowMs = nowMs;
    this.#atNextTurn = atNextTurn;
    this.#longestMs = longestMs;
  }

  /** Does a piece of the work of this key, or of a part of it: at once where there is time, and then no promise is made but the work's own. */
  run<T>(key: string, work: () => T, part = ''): T | Promise<Awaited<T>> {
    if (this.#beganAtMs === null) {
      this.#beganAtMs = this.#nowMs();
      this.#atNextTurn(() => this.#endTurn());
    }
    if (this.#waiting.isEmpty && this.#hasTime()) return work();
    const turn = new Promise<void>((begin) => this.#waiting.lineOf(key).lineOf(part).add(begin));
    return turn.then(work) as Promise<Awaited<T>>;
  }

  #hasTime(): boolean {
    return this.#beganAtMs !== null && this.#nowMs() - this.#beganAtMs < this.#longestMs;
  }

  #endTurn(): void {
    if (this.#waiting.isEmpty) {
      this.#beganAtMs = null;
      return;
    }
    this.#beganAtMs = this.#nowMs();
    this.#atNextTurn(() => this.#endTurn());
    this.#letOneBegin();
  }

  // T2.
  #letOneBegin(): void {
    if (this.#waiting.isEmpty) return;
    this.#waiting.take()();
    // It begins in the next microtask; only behind it is it known how long it took.
    queueMicrotask(() =>
      queueMicrotask(() => {
        if (this.#hasTime()) this.#letOneBegin();
      }),
    );
  }
}
