// Turns the end of an attempt into the settle that records it, and says what became of it.
//   T1  A settle whose edges all succeed is local: it goes with the next batch, and counters wake the children.
//   T2  Anything else may determine the end of tasks far away; it is computed by core/advance under the execution's lock
//       and written with the settle, in one transaction (closure.ts).

import { evaluateMapping } from '../../core/expression/mapping.ts';
import { MAX_ASSEMBLED_BYTES, storableText, toStorableJson } from '../../core/json.ts';
import { edgeOutcome, type TaskState } from '../../core/plan/decide.ts';
import { isForParts } from '../../core/wait.ts';
import type { ChildEdge, Settle, SettleResult, SettleRow } from '../../db/protocol/settlement.ts';
import type { TaskRef } from '../../db/protocol/transitions.ts';
import type { AttemptEnd } from '../attempt/attempt.ts';
import type { Work } from '../attempt/prepare.ts';
import { executionScope } from '../attempt/scope.ts';
import type { EndedAttempt, WorkerContext } from '../context.ts';
import { noteFailure } from '../log/notes.ts';
import { EXTRA_PURE } from '../memory/compiled.ts';
import { remember, resultsOf, type TaskResult } from '../memory/memory.ts';
import { settleWithClosure } from './closure.ts';

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
  end: Exclude<AttemptEnd, { kind: 'abandoned' }>,
  wish: LaneWish,
): Promise<SettleResult> {
  let result: SettleResult;
  try {
    result = await record(worker, work, end, wish);
  } catch (error) {
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
        retryInMs: null,
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
    if (end.kind === 'failed') noteFailure(worker, work, end);
  }
  return result;
}

// The execution is failing: an attempt that failed is not tried again, and a task that would begin to wait is cancelled.
function endOfRefused({ claim }: Work, end: Exclude<AttemptEnd, { kind: 'abandoned' }>): typeof end {
  if (end.kind === 'failed')
    return { ...end, retryInMs: null, error: { ...end.error, attempts: claim.attempt } };
  const { durationMs, inputJson, costUsd, usage } = end;
  return { kind: 'cancelled', durationMs, inputJson, costUsd, usage };
}

async function record(
  worker: WorkerContext,
  work: Work,
  end: Exclude<AttemptEnd, { kind: 'abandoned' }>,
  wish: LaneWish,
): Promise<SettleResult> {
  const { memory, node, claim } = work;
  const row = rowOf(work, end);
  const settle: Settle = {
    executionId: memory.row.id,
    row,
    edges: [],
    wantsNext: wish.wantsNext,
    next: wish.next,
    extraPure: wish.takesPure ? EXTRA_PURE : 0,
  };
  const state = claim.mapIndex < 0 ? endState(end) : null;
  if (state === null) return await worker.settles.call(settle);
  const { nodes } = memory.compiled;
  let isLocal = state.status === 'completed' || (state.status === 'failed' && node.plan.optional);
  const edges = node.plan.outEdges.map((edge): ChildEdge => {
    const outcome = edgeOutcome(edge, node.plan, state);
    if (outcome !== 'success') isLocal = false;
    return {
      taskId: nodes[edge.to]!.plan.taskId,
      outcome: outcome === 'pending' ? 'skipped' : outcome,
      isPure: nodes[edge.to]!.type.isPure,
    };
  });
  if (!isLocal) return await settleWithClosure(worker, memory, node, state, settle);
  const finishOutputJson =
    memory.compiled.soleSink === node.plan.index && end.kind === 'completed'
      ? await proposeOutput(worker, work, end)
      : undefined;
  return await worker.settles.call({ ...settle, edges, finishOutputJson });
}

function rowOf(work: Work, end: Exclude<AttemptEnd, { kind: 'abandoned' }>): SettleRow {
  const { claim, node, runnable } = work;
  const base = {
    claim,
    durationMs: end.durationMs,
    inputJson: end.inputJson,
    costUsd: end.costUsd,
    usageJson: end.usage === undefined ? undefined : JSON.stringify(end.usage),
    isPure: runnable.type.isPure,
    staysAfterFailure: node.plan.staysAfterFailure,
    isOptionalPart: claim.mapIndex >= 0 && runnable.definition.optional === true,
    partTypes: node.partNames === null ? undefined : node.parts?.map((part) => part.type.type),
  };
  switch (end.kind) {
    case 'completed':
      return {
        ...base,
        to: 'completed',
        outputJson: end.outputJson,
        branch: end.branch,
        winner: end.winner,
        partErrorsJson: end.partErrors === undefined ? undefined : JSON.stringify(end.partErrors),
      };
    case 'skipped':
      return { ...base, to: 'skipped', reason: end.reason };
    case 'cancelled':
      return { ...base, to: 'cancelled' };
    case 'failed':
      return {
        ...base,
        to: end.retryInMs === null ? 'failed' : 'retrying',
        errorJson: JSON.stringify(end.error),
        keepAttempt: !end.isUntried,
        wakeMs: end.retryInMs ?? undefined,
      };
    case 'waiting':
      return { ...base, to: 'waiting', waitingOn: end.on, wakeMs: end.delayMs };
    case 'released':
      return { ...base, to: 'released', waitingOn: claim.phase ?? undefined };
    case 'terminated':
      return {
        ...base,
        to: 'completed',
        outputJson: end.outputJson,
        end: { status: end.status, outputJson: end.outputJson, errorJson: JSON.stringify(end.error) },
      };
    case 'fanOut': {
      const parts = node.parts ?? [];
      return {
        ...base,
        to: 'waiting',
        waitingOn: 'items',
        isPure: parts.every((part) => part.type.isPure),
        fanOut: {
          total: end.fanOut.total,
          concurrency: end.fanOut.maxConcurrency,
          tolerated: end.fanOut.toleratedFailures,
          needed: end.fanOut.neededSuccesses,
          types: parts.map((part) => part.type.type),
          itemsJson: end.valuesJson,
        },
      };
    }
  }
}

// The state that the task's edges are judged by; null where it has not ended.
function endState(end: AttemptEnd): TaskState | null {
  switch (end.kind) {
    case 'completed':
      return { status: 'completed', branch: end.branch ?? null };
    case 'skipped':
      return { status: 'skipped', reason: end.reason };
    case 'cancelled':
      return { status: 'cancelled' };
    case 'failed':
      return end.retryInMs === null ? { status: 'failed', errorCode: end.error.code } : null;
    default:
      return null;
  }
}

// The execution's output, if this settle turns out to be its last. Undefined where it cannot be told here: then the
// execution is concluded on its own, with the error that this met.
async function proposeOutput(
  worker: WorkerContext,
  { memory, node }: Work,
  end: Extract<AttemptEnd, { kind: 'completed' }>,
): Promise<string | undefined> {
  const { output, outputSchema, outputReads, outputVariables } = memory.compiled;
  if (outputSchema !== null || outputVariables.length > 0) return undefined;
  if (output === null) {
    const json = `{${JSON.stringify(node.plan.taskId)}:${end.outputJson}}`;
    return json.length > MAX_ASSEMBLED_BYTES ? undefined : json;
  }
  try {
    const others = outputReads.filter((index) => index !== node.plan.index);
    const results = await resultsOf(worker.pool, memory, others);
    results.set(node.plan.index, resultOf(end, 0, 1));
    const value = toStorableJson(
      evaluateMapping(output, executionScope(memory, results)),
      MAX_ASSEMBLED_BYTES,
    );
    return value.ok ? value.json : undefined;
  } catch {
    return undefined;
  }
}

function tellEnd({ events }: WorkerContext, { runnable }: Work, end: AttemptEnd): void {
  const status = statusOf(end);
  if (status === null) return;
  const { durationMs, costUsd = '0' } = end;
  events.attemptEnded({ taskType: runnable.type.type, status, durationMs, costUsd });
}

function statusOf(end: AttemptEnd): EndedAttempt['status'] | null {
  switch (end.kind) {
    case 'completed':
    case 'skipped':
    case 'cancelled':
      return end.kind;
    case 'terminated':
      return 'completed';
    case 'failed':
      return end.retryInMs === null ? 'failed' : 'retrying';
    default:
      return null;
  }
}

function rememberEnd({ memory, node, claim }: Work, end: AttemptEnd, atMs: number): void {
  if (claim.mapIndex >= 0) return;
  if (end.kind === 'fanOut') memory.fanOuts.set(node.plan.index, end.fanOut.values);
  if (
    end.kind === 'completed' ||
    end.kind === 'skipped' ||
    end.kind === 'cancelled' ||
    (end.kind === 'failed' && end.retryInMs === null)
  ) {
    if (isForParts(claim.phase)) memory.fanOuts.delete(node.plan.index);
    remember(memory, node.plan.index, resultOf(end, atMs, claim.attempt));
  }
}

function resultOf(end: AttemptEnd, completedAtMs: number, attempt: number): TaskResult {
  return {
    status:
      end.kind === 'completed' || end.kind === 'skipped' || end.kind === 'cancelled' ? end.kind : 'failed',
    reason: end.kind === 'skipped' ? end.reason : null,
    branch: (end.kind === 'completed' ? end.branch : null) ?? null,
    winner: (end.kind === 'completed' ? end.winner : null) ?? null,
    output: end.kind === 'completed' ? end.output : null,
    error: end.kind === 'failed' ? end.error : null,
    partErrors: (end.kind === 'completed' ? end.partErrors : null) ?? null,
    costUsd: end.costUsd === undefined ? '0' : end.costUsd,
    durationMs: end.durationMs,
    attempt,
    completedAtMs,
  };
}
