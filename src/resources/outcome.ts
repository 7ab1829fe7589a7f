// What came of an act upon a resource, as a value: http/server/outcome.ts makes an answer of it, cli/refusal.ts a refusal.
import type { Problem } from '../core/errors.ts';

/**
 * Why an act was refused. `validation`: what was given does not fit. `not_found` and `removed`: what it is about is not there,
 * or left its definition; `expired`: it waited for this act, and no longer does. `scope_exceeded`: the caller may not grant so
 * much; `self_approval`, `not_assignee`: it is not the caller's to decide. The others are about what is there.
 */
export type RefusalCode =
  | 'validation'
  | 'not_found'
  | 'removed'
  | 'name_taken'
  | 'path_taken'
  | 'trigger_taken'
  | 'revision_mismatch'
  | 'from_definition'
  | 'cannot_start'
  | 'scope_exceeded'
  | 'already_ended'
  | 'too_many_signals'
  | 'expired'
  | 'self_approval'
  | 'not_assignee'
  | 'already_decided'
  | 'claimed'
  | 'fence_mismatch'
  | 'payload_too_large';

export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode;
  /** What there is none of, of `not_found`: `variable`, or `revision 3 of "daily"`. */
  readonly what?: string;
  /** In one sentence. */
  readonly message: string;
  /** One for each thing that is wrong; pointers are into what was given. None where code and message say it all. */
  readonly problems: readonly Problem[];
}

export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refused;

export function done<Value>(value: Value): Outcome<Value> {
  return { ok: true, value };
}

/** Refused for one reason. `message`: the sentence, where the problem's own says too little without its pointer. */
export function refused(code: RefusalCode, problem: Problem, message = problem.message): Refused {
  return { ok: false, code, message, problems: [problem] };
}

/** Refused as a whole: no part of what was given is to blame, and the sentence says it all. */
export function refusedWhole(code: RefusalCode, message: string): Refused {
  return { ok: false, code, message, problems: [] };
}

/** What was given does not fit. */
export function invalid(problems: readonly Problem[]): Refused {
  return { ok: false, code: 'validation', message: problems[0]?.message ?? 'it does not fit', problems };
}

/** `what`: `variable`; `message`: `there is no variable "region"`. */
export function notFound(what: string, message: string): Refused {
  const problem: Problem = { pointer: '', code: 'not_found', message };
  return { ok: false, code: 'not_found', what, message, problems: [problem] };
}
