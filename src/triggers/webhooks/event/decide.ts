// What a stored event leads to, by the webhook's filters and mapping as they are now: nothing, an execution, or an error.

import type { Problem, TaskError } from '../../../core/errors.ts';
import { compileOnce } from '../../../core/expression/compile-once.ts';
import { type Json, storableText } from '../../../core/json.ts';
import { boundProblems, STORED } from '../../../core/problem-report.ts';
import type { Queryable } from '../../../db/connection/connection.ts';
import type { Decision } from '../../../db/resources/webhook-events.ts';
import type { WebhookRow } from '../../../db/resources/webhooks.ts';
import { eventLoop } from '../../../tasks/event-loop.ts';
import type { Starts } from '../../starts/starts.ts';
import { eventScope, triggerOf, type WebhookEvent } from './event-scope.ts';
import { compileFilters } from './filter.ts';
import { compileInputMapping } from './mapping.ts';

/** Of a failed delivery. */
const DETAILS = { ...STORED, maxProblems: 20 };

// Whoever sends is a stranger: what is built for a delivery is bounded, also of what an earlier release has stored, and kept for the next.
const filtersOf = compileOnce((filters: Json) => compileFilters(filters));
const mappingOf = compileOnce((mapping: Json) => compileInputMapping(mapping));

/** Decides, and records the start where there is one, in the caller's transaction, which is of the engine's role. */
export async function decideEvent(
  client: Queryable,
  starts: Pick<Starts, 'startWith'>,
  webhook: WebhookRow,
  event: WebhookEvent,
): Promise<Decision> {
  const piece = <T>(work: () => T) => eventLoop.run(webhook.tenantId, work);
  const filters = await piece(() => filtersOf(webhook.filters as Json));
  const mapping = await piece(() => mappingOf(webhook.inputMapping));
  if (!filters.ok) return failed('validation', filters.problems);
  if (!mapping.ok) return failed('validation', mapping.problems);
  const scope = eventScope(event);
  if (!(await piece(() => filters.value(scope))))
    return { status: 'filtered', executionId: null, error: null };
  const input = await piece(() => mapping.value(scope));
  if (!input.ok) return failed(input.problems[0]?.code ?? 'validation', input.problems);
  const [started] = await starts.startWith(client, webhook.tenantId, [
    {
      workflowId: webhook.workflowId,
      input: input.value,
      priority: webhook.priority,
      triggerType: 'webhook',
      trigger: { ...triggerOf(event), webhookId: webhook.id, eventId: event.eventId },
      createdBy: `webhook:${webhook.id}`,
    },
  ]);
  if (!started!.ok) return failed(started!.code, started!.problems);
  return { status: 'processed', executionId: started!.id, error: null };
}

function failed(code: string, problems: readonly Problem[]): Decision {
  const [first] = problems;
  const error: TaskError = {
    code,
    message: storableText(first?.message ?? code, 1_000),
    details: boundProblems(problems, DETAILS).map(({ pointer, code, message }) => ({
      pointer,
      code,
      message,
    })),
  };
  return { status: 'failed', executionId: null, error };
}
