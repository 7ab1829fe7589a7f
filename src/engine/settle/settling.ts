// Records the end of an attempt, with what follows from it, and says what became of it.
//   T1  A settle whose edges all succeed is local: it goes with the next batch, and counters wake the children.
//   T2  Anything else may determine the end of tasks far away; it is computed by core/advance under the execution's lock
//       and written with the settle, in one transaction (closure.ts).

import { ATTEMPT_ENDS, type AttemptEnd, isTaskEnd, taskStateOf } from '../../core/attempt-end.ts';
import { storableText } from '../../core/json.ts';
import { edgeOutcome, type TaskState } from '../../core/plan/decide.ts';
import { isForParts } from '../../core/wait.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import type { ChildEdge, Settle, SettledTask, SettleResult } from '../../db/protocol/settlement.ts';
import type { TaskRef } from '../../db/protocol/transitions.ts';
import type { Work } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import { noteFailure } from '../log/notes.ts';
import { EXTRA_PURE } from '../memory/compiled.ts';
import { remember, resultOfEnd } from '../memory/memory.ts';
import { settleWithClosure } from './closure.ts';
import { proposeOutput } from './proposed-output.ts';

/** What a lane wants besides: to go on, and with what. */
export interface LaneWish {
  readonly wantsNext: boolean;
  readonly next: readonly TaskRef[];
  /** Pure tasks that this makes ready may be claimed beyond the lane's own. */
  readonly takesPure: boolean;
}

/** Records how an attempt ended. A retry that the failure policy refuses is recorded as the failure it is. */
export async function settleAttempt(
  worker: WorkerContext,
  work: Work,
  end: AttemptEnd,
  wish: LaneWish,
): Promise<SettleResult> {
  let result: SettleResult;
  try {
    result = await record(worker, work, end, wish);
  } catch (error) {
    // No word about the result: the claim is found later, and given back.
    if (isConnectionLoss(error) || isRetryable(error)) throw error;
    // The database refuses this very result (it was tried alone): the task fails clearly, its neighbours are not harmed.
    if (end.kind === 'failed' && end.error.code === 'unstorable_output') throw error;
    const { taskId, attempt } = work.claim;
    const message = storableText(`the result could not be stored: ${String(error)}`);
    return await settleAttempt(
      worker,
      work,
      {
        kind: 'failed',
        error: { taskId, code: 'unstorable_output', message, attempts: attempt },
        durationMs: end.durationMs,
      },
      wish,
    );
  }
  if (result.outcome === 'failing') {
    // What the same call claimed for this lane is run beside it.
    const executionId = work.memory.row.id;
    for (const claim of [...(result.next === null ? [] : [result.next]), ...result.extras])
      worker.spawn({ executionId, claim });
    return await settleAttempt(worker, work, endOfRefused(work, end), wish);
  }
  if (result.outcome === 'settled') {
    rememberEnd(work, end, result.atMs);
    tellEnd(worker, work, end);
    if (end.kind === 'failed' || end.kind === 'retrying') noteFailure(worker, work, end);
  }
  return result;
}

// The execution is failing: an attempt that failed is not tried again, and a task that would begin to wait is cancelled.
function endOfRefused({ claim }: Work, end: AttemptEnd): AttemptEnd {
  const { durationMs, inputJson, costUsd, usage } = end;
  const totals = { durationMs, inputJson, costUsd, usage };
  return end.kind === 'retrying'
    ? { kind: 'failed', error: { ...end.error, attempts: claim.attempt }, ...totals }
    : { kind: 'cancelled', ...totals };
}

async function record(
  worker: WorkerContext,
  work: Work,
  end: AttemptEnd,
  wish: LaneWish,
): Promise<SettleResult> {
  const { memory, node, claim } = work;
  const settle: Settle = {
    executionId: memory.row.id,
    claim,
    end,
    task: settledTaskOf(work),
    edges: [],
    wantsNext: wish.wantsNext,
    next: wish.next,
    extraPure: wish.takesPure ? EXTRA_PURE : 0,
  };
  // The end of a part is no end of its task, and edges are judged where a task ends.
  if (claim.mapIndex >= 0 || !isTaskEnd(end)) return await worker.settles.call(settle);
  const state = taskStateOf(end);
  const { edges, areLocal } = edgesOutOf(work, state);
  if (!areLocal) return await settleWithClosure(worker, memory, node, state, settle);
  const finishOutputJson =
    memory.compiled.soleSink === node.plan.index && end.kind === 'completed'
      ? await proposeOutput(worker, work, end)
      : undefined;
  return await worker.settles.call({ ...settle, edges, finishOutputJson });
}

function settledTaskOf({ claim, node, runnable }: Work): SettledTask {
  return {
    isPure: runnable.type.isPure,
    staysAfterFailure: node.plan.staysAfterFailure,
    isOptionalPart: claim.mapIndex >= 0 && runnable.definition.optional === true,
    parts: node.partTraits,
  };
}

// T1. The edges out of a task that has ended, and whether nothing but its children can follow from them.
function edgesOutOf(
  { memory, node }: Work,
  state: TaskState,
): { readonly edges: readonly ChildEdge[]; readonly areLocal: boolean } {
  const { nodes } = memory.compiled;
  let areLocal = state.status === 'completed' || (state.status === 'failed' && node.plan.optional);
  const edges = node.plan.outEdges.map((edge): ChildEdge => {
    const outcome = edgeOutcome(edge, node.plan, state);
    if (outcome !== 'success') areLocal = false;
    const child = nodes[edge.to]!;
    return {
      taskId: child.plan.taskId,
      outcome: outcome === 'pending' ? 'skipped' : outcome,
      isPure: child.type.isPure,
      isOnly: child.plan.inEdges.length === 1,
    };
  });
  return { edges, areLocal };
}

function tellEnd({ events }: WorkerContext, { runnable }: Work, end: AttemptEnd): void {
  const status = ATTEMPT_ENDS[end.kind].countsAs;
  if (status === null) return;
  const { durationMs, costUsd = '0' } = end;
  events.attemptEnded({ taskType: runnable.type.type, status, durationMs, costUsd });
}

function rememberEnd({ memory, node, claim }: Work, end: AttemptEnd, atMs: number): void {
  if (claim.mapIndex >= 0) return;
  if (end.kind === 'fanOut') memory.fanOuts.set(node.plan.index, end.fanOut.values);
  if (!isTaskEnd(end)) return;
  if (isForParts(claim.phase)) memory.fanOuts.delete(node.plan.index);
  remember(memory, node.plan.index, resultOfEnd(end, atMs, claim.attempt));
}
