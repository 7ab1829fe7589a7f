// What the routes of workflows share: parameters, ETags, and triggers as answers show them.
import { Type } from 'typebox';
import type { Problem } from '../../core/errors.ts';
import type { FileTriggers } from '../../resources/definitions/sync-triggers.ts';
import { ApiError, unprocessable } from '../server/problem.ts';

export const WorkflowParams = Type.Object(
  { workflowId: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,99}$' }) },
  { additionalProperties: false },
);

export const etagOf = (revision: number): string => `"${revision}"`;

/** A webhook's `secret` only where it has just been made up. */
export function triggersView({ schedules, webhooks, events, removed }: FileTriggers, publicUrl: string) {
  return {
    schedules,
    webhooks: webhooks.map(({ id, path, secret }) => ({
      id,
      path,
      url: `${publicUrl}/hooks/${path}`,
      ...(secret === null ? {} : { secret }),
    })),
    events,
    removed,
  };
}

/** 409 where another webhook or schedule stands in the way, else 422. */
export function refuseTriggers(problems: readonly Problem[]): ApiError {
  const isConflict = problems.every(({ code }) => code === 'path_taken' || code === 'name_taken');
  if (!isConflict) return unprocessable(problems);
  return new ApiError(409, 'trigger_taken', problems[0]!.message, { errors: problems });
}
