// A lane: claim, run, settle, and go on with a task that this made ready, in the same call. A chain never goes back
// through the queue. The main path of the engine is here.
//   L1  A lane holds at most one attempt.
//   L2  What stands in its list is ready in the database and named by a job, which stays until the lane has ended.
//   L3  A lane that has run for its time, or whose worker drains, takes nothing new: what it makes ready gets a job.

import { untilAnswered } from '../../db/connection/connection.ts';
import type { SettleResult } from '../../db/protocol/settlement.ts';
import { type Claim, requeue, type TaskRef } from '../../db/protocol/transitions.ts';
import { runAttempt } from '../attempt/attempt.ts';
import { type Work, workOf } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import type { ExecutionMemory } from '../memory/memory.ts';
import { concludeExecution } from '../settle/conclusion.ts';
import { settleAttempt } from '../settle/settling.ts';

/** A lane gives way to the queue after this long, so that priorities and fairness hold. */
const LANE_MS = 1_000;
/** A task that runs longer than this must not hold up the rest of its lane's list. */
const LIST_PATIENCE_MS = 200;

export interface LaneStart {
  readonly memory: ExecutionMemory;
  /** The attempt to begin with; null: claim from the list. */
  readonly claim: Claim | null;
  readonly list: readonly TaskRef[];
  /** Claimed beyond its lane's own, outside the worker's slots: it takes nothing but further pure tasks. */
  readonly isExtra?: boolean;
}

/** Runs a lane to its end. Never throws. */
export async function runLane(worker: WorkerContext, start: LaneStart): Promise<void> {
  const { memory } = start;
  const endsAt = performance.now() + LANE_MS;
  let list = start.list;
  let claim = start.claim;
  while (true) {
    if (claim === null) {
      if (list.length === 0) return;
      if (worker.draining) return await handBack(worker, memory, list);
      const claimed = await claimNext(worker, memory, list);
      if (claimed === null) return;
      ({ claim, rest: list } = claimed);
    }
    const work = workOf(memory, claim);
    const step = await runStep(
      worker,
      work,
      list,
      () => !start.isExtra && performance.now() < endsAt && !worker.draining && !leadsAway(work),
    );
    list = step.list;
    claim = step.result === null ? null : step.result.next;
    if (step.result === null) continue;
    for (const extra of step.result.extras) worker.spawn({ executionId: memory.row.id, claim: extra });
    if (step.result.finished) worker.events.executionEnded(memory.row.id);
    if (step.result.drained) await concludeExecution(worker, memory);
    if (claim !== null) list = after(list, claim);
    else if (performance.now() >= endsAt && list.length > 0) return await handBack(worker, memory, list);
  }
}

async function runStep(
  worker: WorkerContext,
  work: Work,
  list: readonly TaskRef[],
  mayGoOn: () => boolean,
): Promise<{ readonly list: readonly TaskRef[]; readonly result: SettleResult | null }> {
  let rest = list;
  let handedBack: Promise<void> | undefined;
  const patience =
    rest.length === 0 || work.runnable.type.isPure
      ? undefined
      : setTimeout(() => {
          const waiting = rest;
          rest = [];
          handedBack = handBack(worker, work.memory, waiting);
        }, LIST_PATIENCE_MS);
  try {
    const end = await runAttempt(worker, work);
    clearTimeout(patience);
    if (end === null) return { list: rest, result: null };
    const wantsNext = mayGoOn();
    const result = await settleAttempt(worker, work, end, {
      wantsNext,
      next: wantsNext ? rest.slice(0, 16) : [],
      takesPure: !worker.draining,
    });
    // A release that is sent again may find its task in other hands: it had been given back, nothing was stale.
    if (result.outcome === 'lost' && end.kind !== 'released') noteRefusal(worker, work, result);
    if (end.kind === 'retrying') worker.wakeIn(end.retryInMs);
    if (end.kind === 'waiting') worker.wakeIn(end.delayMs);
    if (end.kind === 'completed' && end.round?.isLast === false && end.round.nextInMs > 0)
      worker.wakeIn(end.round.nextInMs);
    return { list: rest, result };
  } finally {
    clearTimeout(patience);
    // Registered until it is settled: what is on its way must not look like a claim that was lost.
    worker.attempts.remove(work.memory.row.id, work.claim);
    await handedBack;
  }
}

// A refused write: either an earlier send of it had committed and the answer was lost (the row is terminal or waiting
// under our own fence), so what it continued with is ours and unknown; or the attempt has another owner.
function noteRefusal(worker: WorkerContext, work: Work, result: SettleResult): void {
  const { row } = work.memory;
  // Ended from outside while it ran: by a cancel, a timeout, the failure policy. Nothing was stale.
  if (result.found?.status === 'cancelled') return;
  if (result.found?.fence === work.claim.fence) worker.suspect(row.id);
  else worker.events.settleLost(row.id, work.claim);
}

async function claimNext(worker: WorkerContext, memory: ExecutionMemory, list: readonly TaskRef[]) {
  return await worker.claims.call({ executionId: memory.row.id, list });
}

async function handBack(
  worker: WorkerContext,
  memory: ExecutionMemory,
  list: readonly TaskRef[],
): Promise<void> {
  if (list.length === 0) return;
  try {
    await untilAnswered(() => requeue(worker.pool, worker.slots, [{ executionId: memory.row.id, list }]));
  } catch (error) {
    // The reconciler finds what is ready.
    worker.log.warn('could not hand tasks back to the queue', { error: String(error) });
  }
}

// A child that this worker cannot run must not be claimed for it.
function leadsAway({ memory, node, claim }: Work): boolean {
  // An item's end releases its siblings, which are for whoever has it.
  if (claim.mapIndex >= 0) return false;
  return node.plan.outEdges.some(({ to }) => memory.compiled.nodes[to]!.missing !== null);
}

// A lane's own list is worked from its head; whatever stands before the claimed task was no longer ready.
function after(list: readonly TaskRef[], claim: Claim): readonly TaskRef[] {
  for (let i = 0; i < Math.min(list.length, 16); i++) {
    const [taskId, mapIndex] = list[i]!;
    if (taskId === claim.taskId && mapIndex === claim.mapIndex) return list.slice(i + 1);
  }
  return list;
}
