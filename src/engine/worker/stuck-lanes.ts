// Lanes whose execution somebody else has locked for long (X4, db/protocol/locked-executions.ts): they wait without a slot, and what
// they may come to is bounded, so that a client which holds executions by the thousand cannot make a worker grow without end.
//   K1  A lane that is stuck, while no body of its execution runs, is no longer waited for: whoever kept a slot or a job for it gives
//       that back. The lane itself goes on once its execution is free; nothing that was done is lost, and no body runs twice.
//   K2  A lane weighs one, and one more for each MB of results that its execution holds here. From `most` on (four for each slot),
//       jobs of the tenants that have their share of it (most / tenants) are put off before they take a slot. They stay in the queue,
//       and any worker may take them. Of a tenant that gets no further, what was in the slots joins at most.
//   K3  From four times `most` on, which needs many tenants at once, lanes keep their slots. So no worker ever has more than that, and
//       what its slots hold. Rows, claims and jobs stand as always: dying then loses what dying always loses.
import type { TaskLog } from '../../core/log-lines.ts';
import type { LockedExecutions } from '../../db/protocol/locked-executions.ts';
import type { AttemptRegister } from '../attempt/attempt-register.ts';

export interface StuckLanesOptions {
  readonly locked: Pick<LockedExecutions, 'watch'>;
  readonly attempts: Pick<AttemptRegister, 'isPerforming' | 'all'>;
  readonly log: TaskLog;
  /** The worker's. */
  readonly slots: number;
}

/** A lane, by what it works on. */
export interface LaneOf {
  readonly executionId: string;
  /** Empty where it is not known: a job of an earlier release. */
  readonly tenantId: string;
}

const MOST_PER_SLOT = 4;
const BYTES_OF_ONE = 1_000_000;
/** An operator is told no more often than this. */
const TELL_EVERY_MS = 60_000;

export class StuckLanes {
  readonly #options: StuckLanesOptions;
  readonly #most: number;
  /** Those that nobody waits for. */
  readonly #lanes = new Set<LaneOf>();
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StuckLanesOptions) {
    this.#options = options;
    this.#most = MOST_PER_SLOT * options.slots;
  }

  get isFull(): boolean {
    return this.#weigh().total >= this.#most;
  }

  /** K2: whether jobs of this tenant are put off. */
  holdsBack(tenantId: string): boolean {
    const { total, byTenant } = this.#weigh();
    if (total < this.#most || (byTenant.get(tenantId) ?? 0) < Math.max(1, this.#most / byTenant.size))
      return false;
    if (performance.now() - this.#toldAtMs > TELL_EVERY_MS) {
      this.#toldAtMs = performance.now();
      const fields = { tenantId, waiting: this.#lanes.size };
      this.#options.log.warn(
        'transactions of somebody else keep so many executions locked that jobs of their tenant are put off',
        fields,
      );
    }
    return true;
  }

  /** Waits until a lane has ended, or is stuck. Rejects where the lane does. */
  async untilEnded(of: LaneOf, lane: Promise<void>): Promise<'ended' | 'stuck'> {
    const { locked, attempts } = this.#options;
    const stuck = Promise.withResolvers<'stuck'>();
    const leave = locked.watch(of.executionId, () => {
      if (!attempts.isPerforming(of.executionId) && this.#weigh().total < 4 * this.#most)
        stuck.resolve('stuck');
    });
    try {
      const outcome = await Promise.race([lane.then(() => 'ended' as const), stuck.promise]);
      if (outcome === 'stuck') this.#keep(of, lane);
      return outcome;
    } finally {
      leave();
    }
  }

  #keep(of: LaneOf, lane: Promise<void>): void {
    const kept = { ...of };
    this.#lanes.add(kept);
    const forget = () => void this.#lanes.delete(kept);
    lane.then(forget, forget);
  }

  #weigh(): { readonly total: number; readonly byTenant: ReadonlyMap<string, number> } {
    const byTenant = new Map<string, number>();
    let total = 0;
    const add = (tenantId: string, weight: number) => {
      total += weight;
      byTenant.set(tenantId, (byTenant.get(tenantId) ?? 0) + weight);
    };
    if (this.#lanes.size === 0) return { total, byTenant };
    const tenants = new Map<string, string>();
    for (const { executionId, tenantId } of this.#lanes) {
      tenants.set(executionId, tenantId);
      add(tenantId, 1);
    }
    for (const { executionId, endBytes } of this.#options.attempts.all()) {
      const tenantId = tenants.get(executionId);
      if (tenantId !== undefined) add(tenantId, endBytes / BYTES_OF_ONE);
    }
    return { total, byTenant };
  }
}
