// What came of an act upon a resource (resources/outcome.ts), as an answer.
import type { Outcome } from '../../resources/outcome.ts';
import { ApiError, notFound, unprocessable } from './problem.ts';

/** The value; throws 404, 422, or 409, with the code. */
export function outcomeToHttp<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  const { code, what, message, problems } = outcome;
  if (code === 'not_found') throw notFound(what ?? 'resource');
  if (code === 'validation') throw unprocessable(problems);
  throw new ApiError(code === 'removed' ? 404 : 409, code, message, { errors: problems });
}
