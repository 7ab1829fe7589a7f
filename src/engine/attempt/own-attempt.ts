// One attempt of this worker while it is under way: what ends it early, how long it has taken, what it has spent.
// It knows nothing of what the attempt does.
import type { AttemptTotals } from '../../core/attempt-end.ts';
import type { Redact } from '../../core/redact.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import { type AbortReason, AttemptAbort } from './abort.ts';
import { Spending } from './spending.ts';
import type { Work } from './work.ts';

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Tries of the task so far, this one included; those that a crash took are not among them. */
export function triesUsed({ attempt, recoveries }: Claim): number {
  return attempt - recoveries;
}

export class OwnAttempt {
  readonly work: Work;
  readonly spending: Spending;
  readonly startedAt = performance.now();
  /** Rejects when the attempt is aborted. */
  readonly aborted: Promise<never>;
  /** Null while its time does not count: it is pure, or waits until it may run. */
  timeoutSeconds: number | null = null;
  /** What it was given, where its definition maps it. */
  inputJson: string | undefined;
  /** The body of a task that is not pure has begun: from here on what goes wrong is the task's own failure. */
  hasBegun = false;
  /** Codes of the tries before it; of a task with several retry policies. */
  earlierCodes: readonly string[] = [];
  /** What its end holds in memory until it is settled, about. */
  endBytes = 0;
  /** Called when it has ended. */
  leaveSuspectGate: (() => void) | undefined;
  readonly #controller = new AbortController();
  #isClosed = false;
  #waits = 0;
  readonly #rejectAborted: (reason: AttemptAbort) => void;
  #countsFrom = this.startedAt;
  #timer: NodeJS.Timeout | undefined;

  constructor(work: Work, redact: Redact) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.work = work;
    this.spending = new Spending(redact);
    this.aborted = promise;
    this.#rejectAborted = reject;
  }

  get executionId(): string {
    return this.work.memory.row.id;
  }

  get claim(): Claim {
    return this.work.claim;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the attempt early; the first reason counts. */
  abort(reason: AbortReason): void {
    const error = new AttemptAbort(reason);
    this.#controller.abort(error);
    this.#rejectAborted(error);
  }

  /** Whether it has not ended yet, other than in the database, and does not wait for the lock of its execution. */
  get isPerforming(): boolean {
    return !this.#isClosed && this.#waits === 0;
  }

  /** For what it writes while it runs, under the lock of its execution: should that take long, it needs no slot meanwhile. */
  async whileLocking<T>(write: () => Promise<T>): Promise<T> {
    this.#waits++;
    try {
      return await write();
    } finally {
      this.#waits--;
    }
  }

  /** What it has waited until now is no time of its own. */
  countAnew(): void {
    this.#countsFrom = performance.now();
  }

  /** Its time counts from here on. Longer than a timer can be is left to the database's clock. */
  startTimeout(seconds: number): void {
    this.timeoutSeconds = seconds;
    const ms = seconds * 1000;
    if (ms < MAX_TIMER_MS) this.#timer = setTimeout(() => this.abort('timeout'), ms);
  }

  /** What it leaves behind if it ends now. */
  totals(): AttemptTotals {
    return {
      durationMs: Math.round(performance.now() - this.#countsFrom),
      inputJson: this.inputJson,
      ...this.spending.unrecorded(),
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.leaveSuspectGate?.();
  }
}
