// The thread that watches the service (watcher-thread.ts), from outside of it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What is asked, again and again. */
export interface Watch {
  readonly name: 'healthz' | 'neighbour';
  readonly path: string;
  readonly key?: string;
  readonly everyMs: number;
  /** Questions without an answer at once: a tenant that asks on has its own share used up, and is told so. */
  readonly mostOpen: number;
}

/** One question. */
export interface Asked {
  readonly name: string;
  /** In ms since the epoch. */
  readonly at: number;
  readonly waitMs: number;
  /** Of the answer, or what came instead of one. */
  readonly status: number | string;
}

export interface Watched {
  readonly asked: readonly Asked[];
}

export class Watcher {
  readonly #thread: Worker;

  constructor(url: string, watches: readonly Watch[]) {
    this.#thread = new Worker(new URL('./watcher-thread.ts', import.meta.url), {
      workerData: { url, watches },
    });
  }

  /** What was asked and answered since it was told last. */
  async tell(): Promise<readonly Asked[]> {
    return await this.#ask('tell');
  }

  /** What was left, once all is answered. */
  async end(): Promise<readonly Asked[]> {
    return await this.#ask('end');
  }

  async #ask(what: 'tell' | 'end'): Promise<readonly Asked[]> {
    this.#thread.postMessage(what);
    const [{ asked }] = (await once(this.#thread, 'message')) as [Watched];
    return asked;
  }
}
