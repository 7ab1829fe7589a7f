// Permits for calls to one limited service. What this worker asks for and gives back goes to the database in one exchange at
// a time, so that a busy service never takes more than one connection.
//   P1  What is wanted while an exchange is under way shares the next; a permit that is given back there is free for it.
//   P2  A permit that is given back, or whose grant was not heard of, is released until the database answers.
//   P3  A database that is away stops no call: it begins without a permit.
import { newId } from '../../core/id.ts';
import { abortableDelay, backoffMs } from '../../db/connection/abortable-delay.ts';
import { isConnectionLoss, isRetryable, type Queryable } from '../../db/connection/connection.ts';
import { exchangePermits, type PermitAnswer } from '../../db/resources/services.ts';

/** How long a call waits for a permit while it holds a slot of the worker. */
export const PATIENCE_MS = 2_000;
const FIRST_LOOK_MS = 25;
const MAX_LOOK_MS = 250;
/** When to come back to a service whose permits were all taken for as long as patience lasted. */
const BUSY_MS = 1_000;

export type Entry =
  | { readonly kind: 'granted'; release(): void }
  /** Not within `PATIENCE_MS`; it may be worth asking again after `waitMs`. */
  | { readonly kind: 'refused'; readonly waitMs: number };

export interface PermitOptions {
  readonly db: Queryable;
  readonly serviceId: string;
  readonly workerId: () => string;
  /** Aborted when nothing is tried again any more: what is not given back then goes with the worker's row. */
  readonly closing: AbortSignal;
  readonly onFailure: (error: unknown) => void;
  readonly onAnswer: () => void;
}

interface Wanted {
  readonly id: string;
  readonly tenantId: string;
  /** Null: the database is away. */
  readonly resolve: (answer: PermitAnswer | null) => void;
}

export class ServicePermits {
  readonly #options: PermitOptions;
  #wanted: Wanted[] = [];
  #released: string[] = [];
  /** Those who wait for a permit to come back; called when one of this worker does. */
  readonly #wakers = new Set<() => void>();
  #loop: Promise<void> | null = null;
  #isAway = false;

  constructor(options: PermitOptions) {
    this.#options = options;
  }

  /** No call waits, and nothing is left to give back. */
  get isIdle(): boolean {
    return this.#loop === null && this.#wakers.size === 0;
  }

  /** Waits for a permit for a call of this tenant while it may come soon. Rejects with the signal's reason. */
  async acquire(tenantId: string, signal: AbortSignal): Promise<Entry> {
    const untilMs = performance.now() + PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      const id = newId();
      const answer = await this.#ask(id, tenantId);
      const release = () => {
        if (answer?.held) this.#release(id);
      };
      try {
        signal.throwIfAborted();
        if (answer === null || answer.granted) {
          const waitMs = answer?.waitMs ?? 0;
          // Timers may fire a millisecond early.
          if (waitMs > 0) await abortableDelay(Math.ceil(waitMs) + 1, signal);
          return { kind: 'granted', release };
        }
      } catch (error) {
        release();
        throw error;
      }
      if (answer.waitMs !== null) return { kind: 'refused', waitMs: answer.waitMs };
      const lookMs = Math.min(FIRST_LOOK_MS * 2 ** tries, MAX_LOOK_MS) * (0.5 + Math.random() / 2);
      if (performance.now() + lookMs > untilMs) return { kind: 'refused', waitMs: BUSY_MS };
      await abortableDelay(lookMs, signal, this.#wakers);
    }
  }

  /** Resolves when nothing is left to give back. */
  async settled(): Promise<void> {
    while (this.#loop !== null) await this.#loop;
  }

  #ask(id: string, tenantId: string): Promise<PermitAnswer | null> {
    if (this.#isAway || this.#options.closing.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#wanted.push({ id, tenantId, resolve });
      this.#schedule();
    });
  }

  #release(id: string): void {
    this.#released.push(id);
    for (const wake of [...this.#wakers]) wake();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#options.closing.aborted) return;
    this.#loop ??= this.#exchangeAll().finally(() => {
      this.#loop = null;
      if (this.#wanted.length + this.#released.length > 0) this.#schedule();
    });
  }

  async #exchangeAll(): Promise<void> {
    // What becomes due in this turn of the event loop shares the exchange.
    await new Promise(setImmediate);
    for (let failures = 0; this.#wanted.length + this.#released.length > 0; ) {
      const wanted = this.#wanted;
      const released = this.#released;
      this.#wanted = [];
      this.#released = [];
      try {
        const answers = await exchangePermits(this.#options.db, {
          serviceId: this.#options.serviceId,
          workerId: this.#options.workerId(),
          released,
          wanted,
          patienceMs: PATIENCE_MS,
        });
        failures = 0;
        this.#isAway = false;
        this.#options.onAnswer();
        wanted.forEach(({ resolve }, i) => {
          resolve(answers[i] ?? null);
        });
      } catch (error) {
        this.#options.onFailure(error);
        this.#isAway = true;
        for (const { resolve } of [...wanted, ...this.#wanted]) resolve(null);
        this.#wanted = [];
        // P2; but what the database refuses for good is not sent for ever.
        if (isConnectionLoss(error) || isRetryable(error) || failures < 20)
          this.#released.push(...released, ...wanted.map(({ id }) => id));
        failures++;
        await abortableDelay(backoffMs(failures), this.#options.closing).catch(() => {});
        if (this.#options.closing.aborted) return;
      }
    }
    this.#isAway = false;
  }
}
