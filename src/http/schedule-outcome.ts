// What came of an act upon a schedule, as an answer.
import type { Outcome } from '../resources/schedules.ts';
import { ApiError, notFound, unprocessable } from './server/problem.ts';

/** The value; throws 404, 422, or 409, with the code. */
export function unwrap<Value extends object>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  const { code, problems } = outcome;
  if (code === 'not_found') throw notFound('schedule');
  if (code === 'validation') throw unprocessable(problems);
  throw new ApiError(code === 'removed' ? 404 : 409, code, problems[0]!.message, { errors: problems });
}
