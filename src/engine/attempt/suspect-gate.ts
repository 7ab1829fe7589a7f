// Lets a task that has crashed workers before run alone in its worker, so that a poisonous task does not use up its neighbours'
// recoveries, and bounds what that costs them. Pure attempts of others never come here (admit.ts).
//   G1  A suspect begins when nothing else runs here. To come to that it holds others back, and goes on to while it runs alone: only
//       while this worker has the turn among all workers, so that the others go on; its jobs are left to them (worker/intake.ts).
//   G2  It holds others back for `aloneMs` in all, and for `gatherMs` of it until it begins; then they go on, beside it if it has
//       begun. For as long again nobody is held back, twice as long after each time that was in vain: so nobody waits for longer than
//       `aloneMs`, however many suspects there are.
//   G3  A suspect that has waited for `patienceMs` begins beside the others.
import { abortableDelay } from '../../db/connection/abortable-delay.ts';

/** What all workers share: one of them at a time holds others back for a suspect. */
export interface SuspectTurn {
  /** For so long at most, also where it is never given back. */
  take(ms: number): Promise<boolean>;
  giveBack(): Promise<void>;
}

export interface SuspectGateOptions {
  readonly turn: SuspectTurn;
  readonly aloneMs?: number;
  readonly gatherMs?: number;
  readonly patienceMs?: number;
  /** Another worker has the turn: it is asked again after so long. */
  readonly turnEveryMs?: number;
}

/** Called when an attempt has ended. */
type Leave = () => void;

interface Suspect {
  readonly begin: (leave: Leave) => void;
  readonly signal: AbortSignal;
  readonly sinceMs: number;
}

export class SuspectGate {
  readonly #options: Required<SuspectGateOptions>;
  #inside = 0;
  #isHolding = false;
  /** Ordinary attempts that are held back. */
  #heldBack: (() => void)[] = [];
  readonly #suspects: Suspect[] = [];
  #isServing = false;
  /** Resolves whenever somebody leaves. */
  #left = Promise.withResolvers<void>();
  #vain = 0;
  #restUntilMs = 0;

  constructor(options: SuspectGateOptions) {
    this.#options = {
      ...{ aloneMs: 30_000, gatherMs: 10_000, patienceMs: 300_000, turnEveryMs: 1_000 },
      ...options,
    };
  }

  /** Whether ordinary attempts are held back. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** An ordinary attempt's way in, where nobody is held back: what it calls when it has ended, else null. */
  enterAtOnce(): Leave | null {
    return this.#isHolding ? null : this.#admit();
  }

  /** Resolves, once the attempt may run, to the function that it calls when it has ended; never, where it was aborted before. */
  enter(isSuspect: boolean, signal: AbortSignal): Promise<Leave> {
    return new Promise((resolve) => {
      if (isSuspect) {
        this.#suspects.push({ begin: resolve, signal, sinceMs: performance.now() });
        if (!this.#isServing) void this.#serve();
        return;
      }
      if (!this.#isHolding) return resolve(this.#admit());
      this.#heldBack.push(() => {
        if (!signal.aborted) resolve(this.#admit());
      });
    });
  }

  #admit(): Leave {
    this.#inside++;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#inside--;
      this.#left.resolve();
      this.#left = Promise.withResolvers();
    };
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let suspect = this.#suspects[0]; suspect !== undefined; suspect = this.#suspects[0]) {
      await this.#letBegin(suspect);
      this.#suspects.shift();
    }
    this.#isServing = false;
  }

  // Until it has begun and holds nobody back any more, or is aborted.
  async #letBegin(suspect: Suspect): Promise<void> {
    const { turn, aloneMs, patienceMs, turnEveryMs } = this.#options;
    while (!suspect.signal.aborted) {
      const leftMs = suspect.sinceMs + patienceMs - performance.now();
      if (leftMs <= 0) return suspect.begin(this.#admit());
      const restMs = this.#restUntilMs - performance.now();
      if (restMs > 0 || !(await turn.take(aloneMs).catch(() => false))) {
        const waitMs = restMs > 0 ? restMs : turnEveryMs * (0.75 + Math.random() / 2);
        await abortableDelay(Math.min(waitMs, leftMs), suspect.signal).catch(() => {});
        continue;
      }
      const hasBegun = await this.#holdBack(suspect);
      void turn.giveBack().catch(() => {});
      if (hasBegun) return;
    }
  }

  // G2. False: what runs here did not end in time, and the suspect has not begun.
  async #holdBack(suspect: Suspect): Promise<boolean> {
    const { aloneMs, gatherMs } = this.#options;
    const startedAtMs = performance.now();
    this.#isHolding = true;
    const isAlone = await this.#untilEmpty(gatherMs, suspect.signal);
    const hasBegun = isAlone && !suspect.signal.aborted;
    if (hasBegun) {
      suspect.begin(this.#admit());
      await this.#untilEmpty(startedAtMs + aloneMs - performance.now());
    }
    this.#isHolding = false;
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const goOn of heldBack) goOn();
    this.#vain = hasBegun ? 0 : this.#vain + 1;
    this.#restUntilMs = performance.now() + (performance.now() - startedAtMs) * 2 ** this.#vain;
    return hasBegun;
  }

  // Whether nothing ran here within `ms`.
  async #untilEmpty(ms: number, signal?: AbortSignal): Promise<boolean> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.max(0, ms));
    const end = () => late.abort();
    signal?.addEventListener('abort', end);
    const isLate = new Promise<void>((resolve) => {
      late.signal.addEventListener('abort', () => resolve());
    });
    while (this.#inside > 0 && !late.signal.aborted) await Promise.race([this.#left.promise, isLate]);
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
    return this.#inside === 0;
  }
}
