// What an attempt failed with, as it is stored: a code, a storable message, and whether it is worth another try.
import type { ThrownAt } from '../../core/attempt-end.ts';
import { NOT_NOW, type NotNow, RetryableError, type TaskError, TerminalError } from '../../core/errors.ts';
import { ExpressionError } from '../../core/expression/errors.ts';
import { type Json, storableText, toStorableJson } from '../../core/json.ts';
import { type Redact, redactJson } from '../../core/redact.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import { AttemptAbort } from './abort.ts';
import { placeOf } from './place.ts';
import type { Work } from './work.ts';

/** Every start of it ended with its worker. */
export function workerLostError({ taskId, attempt }: Claim): TaskError {
  const message = `Task "${taskId}": the worker died each of the ${attempt} times that it ran`;
  return { taskId, code: 'worker_lost', message, attempts: attempt };
}

/** What the row of a task shows that was sent away, until it ends. */
export function notNowError({ message, heldBy }: NotNow, taskId: string, redact: Redact): TaskError {
  const details =
    heldBy === null ? null : { service: storableText(redact(heldBy.service), 300), by: heldBy.by };
  return {
    taskId,
    code: NOT_NOW,
    message: storableText(redact(message)),
    ...(details !== null && { details }),
  };
}

/** Sorts what was thrown by CONTRACT 2.3. `mayRepeat`: a timeout is worth another try. No secret is left in it. */
export function errorOf(
  failure: unknown,
  { runnable, claim }: Work,
  { mayRepeat, redact }: { readonly mayRepeat: boolean; readonly redact: Redact },
): { error: TaskError; isTerminal: boolean; retryAfterSeconds?: number; place?: ThrownAt | null } {
  const make = (code: string, message: string, details?: Json, status?: number): TaskError => ({
    taskId: claim.taskId,
    code: storableText(redact(String(code)), 100),
    message: storableText(redact(String(message))),
    ...(status === undefined ? {} : { status }),
    ...(details === undefined ? {} : { details: redactJson(safeDetails(details), redact) }),
  });
  if (failure instanceof AttemptAbort)
    return {
      error: make(
        'timeout',
        `Task "${claim.taskId}" ran past its timeoutSeconds (${runnable.timeoutSeconds})`,
      ),
      isTerminal: !mayRepeat,
    };
  if (failure instanceof TerminalError)
    return { error: make(failure.code, failure.message, failure.details, failure.status), isTerminal: true };
  if (failure instanceof RetryableError)
    return {
      error: make(failure.code, failure.message, failure.details, failure.status),
      isTerminal: false,
      retryAfterSeconds: failure.retryAfter,
    };
  if (failure instanceof ExpressionError)
    return { error: make(failure.code, failure.message), isTerminal: true };
  const place = placeOf(failure, redact);
  return { error: make('handler_error', messageOf(failure)), isTerminal: false, place };
}

// Authors throw anything: what cannot be shown must not end the lane.
function messageOf(failure: unknown): string {
  try {
    const text = failure instanceof Error ? failure.message || failure.name : failure;
    return typeof text === 'object' && text !== null ? JSON.stringify(text) : String(text);
  } catch {
    return 'something was thrown that has no text';
  }
}

function safeDetails(details: Json): Json {
  const result = toStorableJson(details, 64_000);
  return result.ok ? (JSON.parse(result.json) as Json) : null;
}
