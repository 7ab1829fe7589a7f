// What came of an act upon a resource (resources/outcome.ts), as an answer.
import type { Outcome, RefusalCode } from '../../resources/outcome.ts';
import { ApiError, notFound, unprocessable } from './problem.ts';

/** Where it is not 409. */
const STATUSES: Partial<Record<RefusalCode, number>> = { removed: 404, scope_exceeded: 403 };

/** The value; throws 404, 422, 403 or 409, with the code. */
export function outcomeToHttp<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  const { code, what, message, problems } = outcome;
  if (code === 'not_found') throw notFound(what ?? 'resource');
  if (code === 'validation') throw unprocessable(problems);
  throw new ApiError(STATUSES[code] ?? 409, code, message, { errors: problems });
}
