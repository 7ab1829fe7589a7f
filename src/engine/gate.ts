// Lets ordinary attempts run side by side, and one that has crashed workers before run alone, so that a poisonous task
// does not use up its neighbours' recoveries.

export class SuspectGate {
  #inside = 0;
  #alone = false;
  readonly #waiting: { readonly alone: boolean; readonly admit: () => void }[] = [];

  /** Resolves, once the attempt may run, to the function that it calls when it has ended. */
  enter(isSuspect: boolean): Promise<() => void> {
    if (!isSuspect && !this.#alone && this.#waiting.length === 0) return Promise.resolve(this.#admit(false));
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
