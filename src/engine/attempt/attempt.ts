// Runs one attempt: decides whether it runs at all, evaluates its expressions, calls its task type, and says how it ended.
// Writes nothing; settling.ts turns what this returns into rows.

import { NotNow, type TaskError } from '../../core/errors.ts';
import { evaluateCondition, evaluateMapping } from '../../core/expression/mapping.ts';
import { type Json, type JsonObject, MAX_ASSEMBLED_BYTES, MAX_VALUE_BYTES } from '../../core/json.ts';
import { decide, edgeOutcome } from '../../core/plan/decide.ts';
import { nextDelayMs } from '../../core/retry.ts';
import type { SkipReason } from '../../core/status.ts';
import { isForParts, type WaitEndedBy, type WaitKind } from '../../core/wait.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import type { FanOut, TaskContext } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import { type ExecutionMemory, resultsOf, stateOf, type TaskResult } from '../memory/memory.ts';
import { answerStateOf } from './answer.ts';
import { errorOf, MAX_RECOVERIES, workerLost } from './error.ts';
import { Aborted, type AbortReason, type HeldAttempt } from './held.ts';
import { contextOf, needed, scopeOf, storable, type Work } from './prepare.ts';
import { Spent } from './spent.ts';
import { passGate, SUSPECT_RECOVERIES } from './suspects.ts';

/** How an attempt ended. */
export type AttemptEnd = {
  readonly costUsd?: string | null;
  readonly usage?: JsonObject;
  readonly inputJson?: string;
  readonly durationMs: number;
} & (
  | {
      readonly kind: 'completed';
      readonly outputJson: string;
      readonly output: Json;
      readonly branch?: string;
      readonly winner?: string;
      readonly partErrors?: readonly Json[];
    }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  /** It would have begun to wait in an execution that is failing. */
  | { readonly kind: 'cancelled' }
  | {
      readonly kind: 'failed';
      readonly error: TaskError;
      readonly retryInMs: number | null;
      /** No attempt was made: nothing to keep of it. */
      readonly isUntried?: boolean;
    }
  | {
      readonly kind: 'waiting';
      readonly on: Exclude<WaitKind, WaitEndedBy<'parts'>>;
      readonly delayMs: number;
    }
  | { readonly kind: 'fanOut'; readonly fanOut: FanOut; readonly valuesJson: string }
  | {
      readonly kind: 'terminated';
      readonly status: string;
      readonly outputJson: string;
      readonly error: TaskError | null;
    }
  | { readonly kind: 'released' }
  | { readonly kind: 'abandoned' }
);

const MAX_TIMER_MS = 2 ** 31 - 1;

export async function runAttempt(worker: WorkerContext, work: Work): Promise<AttemptEnd> {
  const { memory, node, runnable, claim } = work;
  const startedAt = performance.now();
  let enteredAt = startedAt;
  const spent = new Spent(worker.outside.redact);
  let inputJson: string | undefined;
  const end = () => ({ durationMs: Math.round(performance.now() - enteredAt), inputJson, ...spent.fields() });
  const stored = (value: unknown, what: string, maxBytes: number) =>
    storable(worker, value, { what, taskId: claim.taskId, maxBytes });
  const controller = new AbortController();
  let abort!: (reason: AbortReason) => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = (reason) => {
      const error = new Aborted(reason);
      controller.abort(error);
      reject(error);
    };
  });
  aborted.catch(() => {});
  const held: HeldAttempt = { executionId: memory.row.id, claim, timeoutSeconds: null, startedAt, abort };
  worker.held.add(held);
  let timer: NodeJS.Timeout | undefined;
  let leave: (() => void) | undefined;
  let hasEntered = false;
  try {
    if (claim.recoveries > MAX_RECOVERIES) return { kind: 'failed', ...workerLost(claim), ...end() };
    if (claim.recoveries < SUSPECT_RECOVERIES) leave = worker.gate.enterAtOnce() ?? undefined;
    if (leave === undefined) {
      leave = await passGate(worker, work, aborted);
      enteredAt = performance.now();
    }
    if (!runnable.type.isPure) {
      held.timeoutSeconds = runnable.timeoutSeconds;
      // Longer ones than a timer can be are left to the database's clock.
      const timeoutMs = runnable.timeoutSeconds * 1000;
      if (timeoutMs < MAX_TIMER_MS) timer = setTimeout(abort, timeoutMs, 'timeout');
    }
    const results = await resultsOf(worker.pool, memory, needed(node));
    const decision = decideNode(memory, node, claim, results);
    if (decision !== null && decision.kind !== 'run') {
      // `wait` cannot be: it was woken because its edges allow it.
      return {
        kind: 'skipped',
        reason: decision.kind === 'skip' ? decision.reason : 'upstream_skipped',
        ...end(),
      };
    }
    const { scope, readInput } = await scopeOf(worker, work, results);
    if (claim.mapIndex < 0 && claim.phase === null && node.condition !== null) {
      if (!evaluateCondition(node.condition, scope))
        return { kind: 'skipped', reason: 'condition_false', ...end() };
    }
    if (runnable.input !== null) inputJson = stored(readInput(), 'input', MAX_VALUE_BYTES);
    const context = await contextOf(worker, work, {
      results,
      scope,
      readInput,
      signal: controller.signal,
      spent,
    });
    // What was aborted while it was prepared must not begin.
    controller.signal.throwIfAborted();
    hasEntered = !runnable.type.isPure;
    const running = runnable.prepared.run(context);
    const outcome = running instanceof Promise ? await Promise.race([running, aborted]) : running;
    if (hasEntered) await spent.settled();
    switch (outcome.kind) {
      case 'wait':
        return { kind: 'waiting', on: 'timer', delayMs: outcome.delayMs, ...end() };
      case 'waitForAnswer':
        return {
          kind: 'waiting',
          on: outcome.on,
          delayMs: await answerDelayMs(worker, work, context, outcome.on),
          ...end(),
        };
      case 'fanOut':
        return {
          kind: 'fanOut',
          fanOut: outcome,
          valuesJson: stored(outcome.values, 'items', MAX_ASSEMBLED_BYTES),
          ...end(),
        };
      case 'terminate':
        return {
          kind: 'terminated',
          status: outcome.status,
          outputJson: stored(outcome.output, 'output', MAX_VALUE_BYTES),
          error: outcome.error,
          ...end(),
        };
    }
    const raw = outcome.output;
    const output =
      runnable.output === null
        ? raw
        : evaluateMapping(runnable.output, Object.assign(scope, { output: raw }) as typeof scope);
    const limit = isForParts(claim.phase) ? MAX_ASSEMBLED_BYTES : MAX_VALUE_BYTES;
    const outputJson = stored(output, 'output', limit);
    return {
      kind: 'completed',
      outputJson,
      output: isPlain(output) ? (output as Json) : (JSON.parse(outputJson) as Json),
      branch: outcome.branch,
      winner: outcome.winner,
      partErrors: outcome.errors,
      ...end(),
    };
  } catch (failure) {
    if (hasEntered) await spent.settled();
    if (failure instanceof Aborted && failure.reason !== 'timeout') {
      return { kind: failure.reason === 'shutdown' ? 'released' : 'abandoned', ...end() };
    }
    if (!hasEntered && (isConnectionLoss(failure) || isRetryable(failure))) {
      // The database went away under our own reads: the attempt never ran.
      return { kind: 'released', ...end() };
    }
    if (failure instanceof NotNow)
      return { kind: 'waiting', on: 'timer', delayMs: failure.delayMs, ...end() };
    const { error, isTerminal, retryAfterSeconds } = errorOf(failure, work, {
      mayRepeat: spent.mayRepeat,
      redact: worker.outside.redact,
    });
    const triesUsed = claim.attempt - claim.recoveries;
    const retryInMs = isForParts(claim.phase)
      ? null
      : nextDelayMs({
          policy: runnable.retry,
          triesUsed,
          code: error.code,
          isTerminal,
          retryAfterSeconds,
          random: Math.random(),
        });
    return {
      kind: 'failed',
      error: retryInMs === null ? { ...error, attempts: claim.attempt } : error,
      retryInMs,
      ...end(),
    };
  } finally {
    clearTimeout(timer);
    leave?.();
  }
}

function decideNode(
  memory: ExecutionMemory,
  node: CompiledNode,
  claim: Claim,
  results: ReadonlyMap<number, TaskResult>,
) {
  if (claim.mapIndex >= 0 || claim.phase !== null) return null;
  const parents = node.plan.inEdges.map((edge) => stateOf(results.get(edge.from)));
  const outcomes = node.plan.inEdges.map((edge, i) =>
    edgeOutcome(edge, memory.compiled.plan.nodes[edge.from]!, parents[i]!),
  );
  return decide(node.plan, outcomes, parents);
}

// Values that survive JSON as they are need not be parsed back. (Texts may have been redacted.)
function isPlain(value: unknown): boolean {
  return value === null || typeof value === 'boolean';
}

// Until its time is over: an answer wakes it before.
async function answerDelayMs(
  worker: WorkerContext,
  { memory, claim }: Work,
  { answerState }: TaskContext,
  kind: WaitEndedBy<'answer'>,
): Promise<number> {
  const { leftMs } = answerState ?? (await answerStateOf(worker, memory.row.id, claim, kind));
  return Math.max(0, leftMs);
}
