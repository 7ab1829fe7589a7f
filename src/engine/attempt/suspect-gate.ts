// Lets ordinary attempts run side by side, and one that has crashed workers before run alone, so that a poisonous task
// does not use up its neighbours' recoveries.

export class SuspectGate {
  #inside = 0;
  #alone = false;
  readonly #waiting: { readonly alone: boolean; readonly admit: () => void }[] = [];

  /** An ordinary attempt's way in, where nobody runs alone or waits to: what it calls when it has ended, else null. */
  enterAtOnce(): (() => void) | null {
    return this.#alone || this.#waiting.length > 0 ? null : this.#admit(false);
  }

  /** Resolves, once the attempt may run, to the function that it calls when it has ended. First come, first served. */
  enter(isSuspect: boolean): Promise<() => void> {
    return new Promise((resolve) => {
      this.#waiting.push({ alone: isSuspect, admit: () => resolve(this.#admit(isSuspect)) });
      this.#next();
    });
  }

  #admit(alone: boolean): () => void {
    this.#inside++;
    this.#alone = alone;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inside--;
      if (alone) this.#alone = false;
      this.#next();
    };
  }

  #next(): void {
    while (this.#waiting.length > 0 && !this.#alone) {
      if (this.#waiting[0]!.alone && this.#inside > 0) return;
      this.#waiting.shift()!.admit();
    }
  }
}
