// The attempts that this worker runs at the moment: what it may be asked to abort, and what it must not lose.
import type { Claim } from '../../db/protocol/transitions.ts';

export type AbortReason = 'timeout' | 'cancelled' | 'lost' | 'shutdown';

export interface HeldAttempt {
  readonly executionId: string;
  readonly claim: Claim;
  /** Null while its time does not count: it is pure, or waits until it may run. */
  timeoutSeconds: number | null;
  readonly startedAt: number;
  /** Ends the attempt early; the first reason counts. */
  abort(reason: AbortReason): void;
}

const keyOf = (executionId: string, claim: Claim) =>
  `${executionId}/${claim.mapIndex}/${claim.fence}/${claim.taskId}`;

export class HeldAttempts {
  readonly #held = new Map<string, HeldAttempt>();

  add(attempt: HeldAttempt): void {
    this.#held.set(keyOf(attempt.executionId, attempt.claim), attempt);
  }

  remove(executionId: string, claim: Claim): void {
    this.#held.delete(keyOf(executionId, claim));
  }

  has(executionId: string, claim: Claim): boolean {
    return this.#held.has(keyOf(executionId, claim));
  }

  /** Those held for at least `ms`. */
  olderThan(ms: number): HeldAttempt[] {
    const before = performance.now() - ms;
    return [...this.#held.values()].filter((attempt) => attempt.startedAt <= before);
  }

  all(): HeldAttempt[] {
    return [...this.#held.values()];
  }

  get size(): number {
    return this.#held.size;
  }
}

/** Thrown into an attempt that must end early. */
export class Aborted extends Error {
  readonly reason: AbortReason;
  constructor(reason: AbortReason) {
    super(`aborted: ${reason}`);
    this.name = 'AbortError';
    this.reason = reason;
  }
}
