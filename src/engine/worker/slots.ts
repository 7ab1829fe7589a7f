// The slots of a worker: lanes that run at once. Jobs of the queue and executions that this process starts itself share them.
//   S1  Never more than `total` are taken.
//   S2  Whoever waits comes first, in order: `tryTake` gives nothing while somebody waits.

export class Slots {
  readonly total: number;
  #taken = 0;
  #isClosed = false;
  readonly #waiting = new Set<(isTaken: boolean) => void>();

  constructor(total: number) {
    this.total = total;
  }

  /** Takes one that is free, and that nobody waits for. */
  tryTake(): boolean {
    if (this.#taken >= this.total || this.#waiting.size > 0) return false;
    this.#taken++;
    return true;
  }

  /** Takes one, and waits for it so long; false: there was none. */
  take(patienceMs: number): boolean | Promise<boolean> {
    if (this.tryTake()) return true;
    if (this.#isClosed) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isTaken: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(end);
      resolve(isTaken);
    };
    const timer = setTimeout(() => end(false), patienceMs);
    this.#waiting.add(end);
    return promise;
  }

  /** Gives one back: to whoever has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else next(true);
  }

  /** From now on nobody waits. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#waiting) end(false);
  }
}
