// The slots of a worker: lanes that run at once. Jobs of the queue and executions that this process starts itself share them.
//   S1  Never more than `total` are taken.
//   S2  Whoever waits comes first, in order: `tryTake` gives nothing while somebody waits.
//   S3  Nobody waits long: another worker may have a slot. While all wait in vain, each round waits twice as long, so that jobs
//       which nobody can run are not taken and given back all the time.

const PATIENCE_MS = { least: 200, most: 3_200 } as const;

export class Slots {
  readonly total: number;
  readonly #patience: { readonly least: number; readonly most: number };
  #patienceMs: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(total: number, patience: { readonly least: number; readonly most: number } = PATIENCE_MS) {
    this.total = total;
    this.#patience = patience;
    this.#patienceMs = patience.least;
  }

  /** Takes one that is free, and that nobody waits for. */
  tryTake(): boolean {
    if (this.#taken >= this.total || this.#waiting.size > 0) return false;
    this.#taken++;
    return true;
  }

  /** Takes one, and waits for it a while; false: there was none. */
  take(): boolean | Promise<boolean> {
    if (this.tryTake()) return true;
    const patienceMs = this.#patienceMs;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isTaken: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(give);
      this.#patienceMs = isTaken ? this.#patience.least : Math.min(this.#patience.most, patienceMs * 2);
      resolve(isTaken);
    };
    const give = () => end(true);
    const timer = setTimeout(() => end(false), patienceMs);
    this.#waiting.add(give);
    return promise;
  }

  /** Gives one back: to whoever has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else next();
  }
}
