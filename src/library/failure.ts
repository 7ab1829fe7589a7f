// Whatever fails below the library becomes a DagwrightError, with the failure as its cause.
import { DagwrightError, dagwrightError } from '../core/dagwright-error.ts';
import { isRetryable, isStatementTimeout } from '../db/connection/connection.ts';
import { ShareUsedUp } from '../db/connection/shares.ts';
import { databaseProblems } from '../db/operations/database-problem.ts';
import type { Refused } from '../resources/outcome.ts';

/** A resource's refusal. */
export function errorOfRefusal({ code, message, problems }: Refused): DagwrightError {
  return new DagwrightError(code, problems.length > 0 ? problems : [{ pointer: '', code, message }]);
}

export interface Reached {
  /** For hints: an embedded server has none. */
  readonly databaseUrl: string | undefined;
}

/** Throws nothing but DagwrightErrors; the reason of a caller's own signal must not pass through it. */
export async function translated<T>(work: () => Promise<T>, reached: Reached): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw dagwrightErrorOf(error, reached);
  }
}

export function dagwrightErrorOf(cause: unknown, reached: Reached): DagwrightError {
  if (cause instanceof DagwrightError) return cause;
  const problems = databaseProblems(cause, reached);
  if (problems.length > 0) return new DagwrightError(problems[0]!.code, problems, { cause });
  const message = cause instanceof Error ? cause.message || cause.name : String(cause);
  if (isStatementTimeout(cause))
    return dagwrightError('too_slow', `the database took too long: ${message}`, {
      hint: 'try again later',
      cause,
    });
  if (cause instanceof ShareUsedUp || isRetryable(cause))
    return dagwrightError('busy', message, { hint: 'try again', cause });
  if (/Cannot use a pool after calling end/.test(message)) return closedError(cause);
  return dagwrightError('unexpected', message, { hint: 'its cause tells more', cause });
}

export const closedError = (cause?: unknown) =>
  dagwrightError('closed', 'the connection was closed', { hint: 'Dagwright.connect() opens another', cause });
