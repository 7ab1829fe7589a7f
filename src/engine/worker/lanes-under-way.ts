// What runs in a worker: a worker that drains waits for it.
//   U1  A lane that ends early harms nothing else: what it could not do is logged, and recovery finds the rest.
import type { TaskLog } from '../../core/log-lines.ts';

export class LanesUnderWay {
  readonly #log: TaskLog;
  readonly #lanes = new Set<Promise<void>>();

  constructor(log: TaskLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** Counts a lane until it has ended. What it returns never rejects (U1). */
  track(lane: Promise<void>): Promise<void> {
    const tracked = lane
      .catch((error: unknown) => {
        this.#log.error('a lane ended early', {
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      })
      .finally(() => this.#lanes.delete(tracked));
    this.#lanes.add(tracked);
    return tracked;
  }

  /** Resolves when nothing is under way any more, also nothing that has begun meanwhile. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(this.#lanes);
  }
}
