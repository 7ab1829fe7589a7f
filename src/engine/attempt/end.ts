// What an attempt's outcome, or what was thrown, makes its end.
import type { AttemptEnd, Completion } from '../../core/attempt-end.ts';
import { assertNever, NotNow } from '../../core/errors.ts';
import { evaluateMapping } from '../../core/expression/mapping.ts';
import { type Json, MAX_ASSEMBLED_BYTES, MAX_VALUE_BYTES } from '../../core/json.ts';
import { nextDelayOfPoliciesMs } from '../../core/retry.ts';
import { isForParts, type WaitEndedBy } from '../../core/wait.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { TaskContext, TaskOutcome } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import { AttemptAbort } from './abort.ts';
import { answerStateOf } from './answer.ts';
import { errorOf, notNowError } from './error.ts';
import { type OwnAttempt, triesUsed } from './own-attempt.ts';
import { endOfRound, isRound } from './round.ts';
import { storable } from './storable.ts';

/** The end that an outcome is. Throws what is the task's fault: an output that cannot be stored, a mapping that fails. */
export function endOfOutcome(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { context, outcome }: { readonly context: TaskContext; readonly outcome: TaskOutcome },
): AttemptEnd | Promise<AttemptEnd> {
  const { claim } = attempt;
  const { tenantId } = attempt.work.memory.row;
  const stored = (value: unknown, what: string, maxBytes: number) =>
    storable(worker, value, { what, taskId: claim.taskId, maxBytes });
  switch (outcome.kind) {
    case 'completed': {
      const end = eventLoop.run(tenantId, () => endOfOutput(worker, attempt, context, outcome));
      return isRound(attempt.work) ? endOfRound(worker, attempt.work, context.scope, end) : end;
    }
    case 'wait':
      return { kind: 'waiting', on: 'timer', delayMs: outcome.delayMs, ...attempt.totals() };
    case 'waitForAnswer':
      return waitForAnswer(worker, attempt, context, outcome.on);
    case 'waitForReview': {
      const { opens } = outcome;
      const reviewJson = opens === null ? null : stored(opens, 'review', MAX_VALUE_BYTES);
      return { kind: 'inReview', reviewJson, ...attempt.totals() };
    }
    case 'fanOut': {
      return eventLoop.run(tenantId, () => {
        const valuesJson = stored(outcome.values, 'items', MAX_ASSEMBLED_BYTES);
        return { kind: 'fanOut', fanOut: outcome, valuesJson, ...attempt.totals() };
      });
    }
    case 'terminate': {
      const { status, error } = outcome;
      const outputJson = stored(outcome.output, 'output', MAX_VALUE_BYTES);
      return { kind: 'terminated', status, outputJson, error, ...attempt.totals() };
    }
    default:
      return assertNever(outcome);
  }
}

// Until its time is over: an answer wakes it before.
async function waitForAnswer(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { answerState }: TaskContext,
  on: WaitEndedBy<'answer'>,
): Promise<AttemptEnd> {
  const { leftMs } = answerState ?? (await answerStateOf(worker, attempt.executionId, attempt.claim, on));
  return { kind: 'waiting', on, delayMs: Math.max(0, leftMs), ...attempt.totals() };
}

function endOfOutput(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { scope }: TaskContext,
  outcome: Extract<TaskOutcome, { kind: 'completed' }>,
): Completion {
  const { runnable, claim } = attempt.work;
  const output =
    runnable.output === null
      ? outcome.output
      : evaluateMapping(runnable.output, Object.assign(scope, { output: outcome.output }) as typeof scope);
  const outputJson = storable(worker, output, {
    what: 'output',
    taskId: claim.taskId,
    maxBytes: isForParts(claim.phase) ? MAX_ASSEMBLED_BYTES : MAX_VALUE_BYTES,
  });
  return {
    kind: 'completed',
    outputJson,
    output: isPlain(output) ? (output as Json) : (JSON.parse(outputJson) as Json),
    branch: storedText(worker, outcome.branch, { what: 'branch', taskId: claim.taskId }),
    winner: storedText(worker, outcome.winner, { what: 'winner', taskId: claim.taskId }),
    partErrors: outcome.errors,
    ...attempt.totals(),
  };
}

function storedText(
  worker: WorkerContext,
  text: string | undefined,
  of: { readonly what: string; readonly taskId: string },
): string | undefined {
  if (text === undefined) return undefined;
  return JSON.parse(storable(worker, text, { ...of, maxBytes: MAX_VALUE_BYTES })) as string;
}

// Values that survive JSON as they are need not be parsed back. (Texts may have been redacted.)
function isPlain(value: unknown): boolean {
  return value === null || typeof value === 'boolean';
}

/** The end that a failure is; null: the attempt has another owner, or its execution has ended, and nothing is recorded. */
export function endOfFailure(
  worker: WorkerContext,
  attempt: OwnAttempt,
  failure: unknown,
): AttemptEnd | null {
  if (failure instanceof AttemptAbort && failure.reason !== 'timeout')
    return failure.reason === 'shutdown' ? { kind: 'released', ...attempt.totals() } : null;
  // The database went away under our own reads: the attempt never ran.
  if (!attempt.hasBegun && (isConnectionLoss(failure) || isRetryable(failure)))
    return { kind: 'released', ...attempt.totals() };
  const { runnable, claim } = attempt.work;
  if (failure instanceof NotNow) {
    const because = notNowError(failure, claim.taskId, worker.outside.redact);
    return { kind: 'waiting', on: 'timer', delayMs: failure.delayMs, because, ...attempt.totals() };
  }
  const { error, isTerminal, retryAfterSeconds, place } = errorOf(failure, attempt.work, {
    mayRepeat: attempt.spending.mayRepeat,
    redact: worker.outside.redact,
  });
  const retryInMs = isForParts(claim.phase)
    ? null
    : nextDelayOfPoliciesMs({
        policies: runnable.retry,
        triesUsed: triesUsed(claim),
        earlierCodes: attempt.earlierCodes,
        code: error.code,
        isTerminal,
        retryAfterSeconds,
        random: Math.random(),
      });
  if (retryInMs !== null) return { kind: 'retrying', error, retryInMs, place, ...attempt.totals() };
  return { kind: 'failed', error: { ...error, attempts: claim.attempt }, place, ...attempt.totals() };
}
