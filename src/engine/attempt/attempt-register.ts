// The attempts that this worker has under way: what it may be asked to abort, and what it must not lose.
import type { Claim } from '../../db/protocol/transitions.ts';
import type { OwnAttempt } from './own-attempt.ts';

const keyOf = (executionId: string, claim: Claim) =>
  `${executionId}/${claim.mapIndex}/${claim.fence}/${claim.taskId}`;

export class AttemptRegister {
  readonly #attempts = new Map<string, OwnAttempt>();

  add(attempt: OwnAttempt): void {
    this.#attempts.set(keyOf(attempt.executionId, attempt.claim), attempt);
  }

  remove(executionId: string, claim: Claim): void {
    this.#attempts.delete(keyOf(executionId, claim));
  }

  has(executionId: string, claim: Claim): boolean {
    return this.#attempts.has(keyOf(executionId, claim));
  }

  /** Whether an attempt of this execution needs a slot. */
  isPerforming(executionId: string): boolean {
    for (const attempt of this.#attempts.values())
      if (attempt.executionId === executionId && attempt.isPerforming) return true;
    return false;
  }

  /** Those claimed at least `ms` ago. */
  olderThan(ms: number): OwnAttempt[] {
    const before = performance.now() - ms;
    return [...this.#attempts.values()].filter((attempt) => attempt.startedAt <= before);
  }

  all(): OwnAttempt[] {
    return [...this.#attempts.values()];
  }

  get size(): number {
    return this.#attempts.size;
  }
}
