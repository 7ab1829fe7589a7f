// Lanes whose execution somebody else has locked for long (X4, db/protocol/locked-executions.ts).
//   K1  A lane that is stuck, while no body of its execution runs, is no longer waited for: whoever kept a slot or a job for it gives
//       that back. The lane itself goes on once its execution is free.
import type { LockedExecutions } from '../../db/protocol/locked-executions.ts';
import type { AttemptRegister } from '../attempt/attempt-register.ts';

export class StuckLanes {
  readonly #locked: Pick<LockedExecutions, 'watch'>;
  readonly #attempts: Pick<AttemptRegister, 'isPerforming'>;

  constructor(parts: {
    readonly locked: Pick<LockedExecutions, 'watch'>;
    readonly attempts: Pick<AttemptRegister, 'isPerforming'>;
  }) {
    this.#locked = parts.locked;
    this.#attempts = parts.attempts;
  }

  /** Waits until a lane of this execution has ended, or is stuck. Rejects where the lane does. */
  async untilEnded(executionId: string, lane: Promise<void>): Promise<'ended' | 'stuck'> {
    const stuck = Promise.withResolvers<'stuck'>();
    const leave = this.#locked.watch(executionId, () => {
      if (!this.#attempts.isPerforming(executionId)) stuck.resolve('stuck');
    });
    try {
      return await Promise.race([lane.then(() => 'ended' as const), stuck.promise]);
    } finally {
      leave();
    }
  }
}
