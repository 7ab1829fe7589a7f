// What came of an act upon a resource (resources/outcome.ts), as an answer.
import type { Outcome, RefusalCode } from '../../resources/outcome.ts';
import { ApiError, notFound, unprocessable } from './problem.ts';

const STATUSES: Readonly<Record<Exclude<RefusalCode, 'validation' | 'not_found'>, number>> = {
  removed: 404,
  name_taken: 409,
  path_taken: 409,
  trigger_taken: 409,
  from_definition: 409,
  cannot_start: 409,
  already_ended: 409,
  too_many_signals: 409,
  scope_exceeded: 403,
  self_approval: 403,
  not_assignee: 403,
  already_decided: 409,
  claimed: 409,
  fence_mismatch: 409,
  expired: 410,
  payload_too_large: 413,
  revision_mismatch: 412,
};

/** The value; throws 404, 422 or the status of the table, with the code. Within the transaction, which that rolls back. */
export function outcomeToHttp<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  const { code, what, message, problems } = outcome;
  if (code === 'not_found') throw notFound(what ?? 'resource');
  if (code === 'validation') throw unprocessable(problems);
  throw new ApiError(STATUSES[code], code, message, { errors: problems });
}
