// Gives tenants their turns and permits in the queue (functions/protocol/turns.sql), when somebody may wait for them.
//   T1  While this worker is full, jobs wait for turns. One that could take more asks for no pass: the queue is empty, or will be.
//   T2  Jobs that need permits wait until a pass: one follows soon on each look at the queue and on each end of a job, and while
//       some are left. Every five seconds a pass finds out whether there are any.
//   T3  All workers share the passes: the more slots the others have, the more seldom this one makes one; and none spends more than
//       half of its time on them.
//   T4  An error ends a pass, and nothing else: without turns jobs go by priority and age.

import type { TaskLog } from '../../core/log-lines.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { giveTurns, type TurnsPass } from '../../db/protocol/turns.ts';

/** Between two passes of all workers: while one tenant waits, and while several do, or one for permits. */
const ALONE_MS = 200;
const SHARED_MS = 25;
const IDLE_MS = 5_000;
const NOBODY: TurnsPass = { tenants: [], isHeld: false, isLimited: false };

export interface TurnsOptions {
  readonly db: Queryable;
  readonly log: TaskLog;
  /** This worker's slots, and those of all. */
  readonly slots: () => { readonly own: number; readonly all: number };
  readonly isFull: () => boolean;
  /** Of jobs that this worker takes. */
  readonly kinds: readonly string[];
  /** This worker is full, and these tenants wait. */
  readonly onWaiting: (tenants: readonly string[]) => void;
  /** A pass that goes unanswered for so long is given up. */
  readonly limitMs: number;
}

export class Turns {
  readonly #options: TurnsOptions;
  #last: TurnsPass = NOBODY;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #lastTookMs = 0;
  #isDue = false;
  #idle: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#idle = setInterval(() => this.#schedule(), IDLE_MS);
    this.#idle.unref();
  }

  /** All slots of this worker are taken: what comes now waits. */
  noteFull(): void {
    this.#schedule();
  }

  /** Jobs were looked for, or one has ended. */
  noteJobs(): void {
    if (this.#last.isLimited) this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#idle);
  }

  #schedule(): void {
    if (this.#isDue || this.#isStopped) return;
    this.#isDue = true;
    const { own, all } = this.#options.slots();
    const everyMs = this.#last.tenants.length > 1 || this.#last.isLimited ? SHARED_MS : ALONE_MS;
    const betweenMs = Math.max(everyMs * Math.max(1, all / own), 2 * this.#lastTookMs);
    const waitMs = this.#lastAtMs + betweenMs - performance.now();
    setTimeout(() => void this.#pass(), Math.max(0, waitMs)).unref();
  }

  async #pass(): Promise<void> {
    const { db, log, slots, isFull, kinds, onWaiting, limitMs } = this.#options;
    if (this.#isStopped) return;
    this.#lastAtMs = performance.now();
    try {
      this.#last = (await giveTurns(db, { slots: slots().all, kinds, limitMs })) ?? this.#last;
    } catch (error) {
      log.debug('could not give turns to tenants', { error: String(error) });
    }
    this.#lastTookMs = performance.now() - this.#lastAtMs;
    this.#isDue = false;
    if (isFull() && this.#last.tenants.length > 0) onWaiting(this.#last.tenants);
    if (isFull() || this.#last.isHeld) this.#schedule();
  }
}
