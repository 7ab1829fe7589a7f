// What this process can say about itself: whether its loops go on, and whether it is about to end.

/** A loop of this process: a worker, the scheduler. */
export interface Loop {
  readonly name: string;
  /** Null: it makes progress; else what has stopped. */
  problem(): string | null;
}

export class Health {
  readonly #draining = new AbortController();
  readonly #loops: Loop[] = [];

  /** Aborted when the process begins to end: long answers (SSE, ?wait) end by themselves. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  add(loop: Loop): void {
    this.#loops.push(loop);
  }

  drain(): void {
    this.#draining.abort();
  }

  /** What each loop that stands still lacks; empty: all make progress. */
  problems(): string[] {
    return this.#loops.flatMap((loop) => {
      const problem = loop.problem();
      return problem === null ? [] : [`${loop.name}: ${problem}`];
    });
  }

  get loops(): readonly string[] {
    return this.#loops.map(({ name }) => name);
  }
}
