// Records the end of an attempt, with what follows from it, and says what became of it.
//   T1  A settle whose edges all succeed is local: it goes with the next batch, and counters wake the children; pure tasks
//       that only it holds up are performed before, and written with it (successors.ts).
//   T2  Anything else may determine the end of tasks far away; it is computed by core/advance under the execution's lock
//       and written with the settle, in one transaction (closure.ts).

import { ATTEMPT_ENDS, type AttemptEnd, isTaskEnd, taskStateOf } from '../../core/attempt-end.ts';
import { storableText } from '../../core/json.ts';
import { isForParts } from '../../core/wait.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import type { PureSuccessors, Settle, SettledTask, SettleResult } from '../../db/protocol/settlement.ts';
import type { TaskRef } from '../../db/protocol/transitions.ts';
import type { Work } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import { noteFailure } from '../log/notes.ts';
import { EXTRA_PURE, type Runnable } from '../memory/compiled.ts';
import { type ExecutionMemory, remember, resultOfEnd } from '../memory/memory.ts';
import { settleWithClosure } from './closure.ts';
import { edgesOutOf } from './edges.ts';
import { proposeOutput } from './proposed-output.ts';
import { mayHaveSuccessors, performSuccessors } from './successors.ts';

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
  let recorded: Recorded;
  try {
    recorded = await record(worker, work, end, wish);
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
  const { result, successors } = recorded;
  if (result.outcome === 'failing') {
    // What the same call claimed for this lane is run beside it.
    const executionId = work.memory.row.id;
    for (const claim of [...(result.next === null ? [] : [result.next]), ...result.extras])
      worker.spawn({ executionId, claim });
    return await settleAttempt(worker, work, endOfRefused(work, end), wish);
  }
  if (result.outcome === 'settled') {
    rememberEnd(work, end, result.atMs);
    tellEnd(worker, work.runnable, end);
    if (result.withSuccessors) noteSuccessors(worker, work.memory, successors!, result.atMs);
    if (end.kind === 'failed' || end.kind === 'retrying') noteFailure(worker, work, end);
  }
  return result;
}

// The execution is failing: an attempt that failed is not tried again, and a task that would begin to wait is cancelled.
function endOfRefused({ claim }: Work, end: AttemptEnd): AttemptEnd {
  const { durationMs, inputJson, costUsd, usage } = end;
  const totals = { durationMs, inputJson, costUsd, usage };
  return end.kind === 'retrying'
    ? {
        kind: 'failed',
        error: { ...end.error, attempts: claim.attempt },
        place: end.place ?? null,
        ...totals,
      }
    : { kind: 'cancelled', ...totals };
}

interface Recorded {
  readonly result: SettleResult;
  readonly successors?: PureSuccessors;
}

async function record(worker: WorkerContext, work: Work, end: AttemptEnd, wish: LaneWish): Promise<Recorded> {
  const { memory, node, claim } = work;
  const settle: Settle = {
    executionId: memory.row.id,
    claim,
    end,
    task: settledTaskOf(work, end),
    edges: [],
    wantsNext: wish.wantsNext,
    next: wish.next,
    extraPure: wish.takesPure ? EXTRA_PURE : 0,
  };
  // The end of a part is no end of its task, and edges are judged where a task ends.
  if (claim.mapIndex >= 0 || !isTaskEnd(end)) return { result: await worker.settles.call(settle) };
  const state = taskStateOf(end);
  const { edges, areLocal } = edgesOutOf(memory.compiled, node, state);
  if (!areLocal) return { result: await settleWithClosure(worker, memory, node, state, settle) };
  if (end.kind !== 'completed') return { result: await worker.settles.call({ ...settle, edges }) };
  const finishOutputJson =
    memory.compiled.soleSink === node.plan.index
      ? await proposeOutput(worker, memory, { node, end })
      : undefined;
  const goesOn = (wish.wantsNext || wish.takesPure) && mayHaveSuccessors(work);
  const successors = goesOn ? await performSuccessors(worker, work, end) : undefined;
  const alone = { ...settle, edges, finishOutputJson };
  if (successors === undefined) return { result: await worker.settles.call(alone) };
  try {
    return { result: await worker.settles.call({ ...alone, successors }), successors };
  } catch (error) {
    if (isConnectionLoss(error) || isRetryable(error)) throw error;
    // Refused, and so nothing was written: whose value it is shows when each is settled by itself.
    return { result: await worker.settles.call(alone) };
  }
}

function settledTaskOf({ claim, node, runnable }: Work, end: AttemptEnd): SettledTask {
  return {
    isPure: runnable.type.isPure,
    staysAfterFailure: node.plan.staysAfterFailure,
    // One whose condition does not hold is no failure of its fan-out either.
    isOptionalPart: claim.mapIndex >= 0 && (runnable.definition.optional === true || end.kind === 'skipped'),
    parts: node.partTraits,
  };
}

function noteSuccessors(
  worker: WorkerContext,
  memory: ExecutionMemory,
  { ends }: PureSuccessors,
  atMs: number,
): void {
  const { indexOf } = memory.compiled.plan;
  for (const { taskId, end } of ends) {
    const index = indexOf.get(taskId)!;
    remember(memory, index, resultOfEnd(end, atMs, 1));
    tellEnd(worker, memory.compiled.nodes[index]!, end);
  }
}

function tellEnd({ events }: WorkerContext, { type }: Runnable, end: AttemptEnd): void {
  const status = ATTEMPT_ENDS[end.kind].countsAs;
  if (status === null) return;
  const { durationMs, costUsd = '0' } = end;
  events.attemptEnded({ taskType: type.type, status, durationMs, costUsd });
}

function rememberEnd({ memory, node, claim }: Work, end: AttemptEnd, atMs: number): void {
  if (claim.mapIndex >= 0) return;
  if (end.kind === 'fanOut' && end.fanOut.values !== null)
    memory.fanOuts.remember(node.plan.index, end.fanOut.values);
  if (!isTaskEnd(end)) return;
  if (isForParts(claim.phase)) memory.fanOuts.forget(node.plan.index);
  remember(memory, node.plan.index, resultOfEnd(end, atMs, claim.attempt));
}
