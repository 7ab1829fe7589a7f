// What a webhook's filters and mapping see of an event: `{ body, headers, query, method }`.

import { EvaluationBudget } from '../../../core/expression/evaluation-budget.ts';
import { FUNCTION_CONTEXT, type Scope, STEP_BUDGET } from '../../../core/expression/scope.ts';
import { uuidFrom } from '../../../core/id.ts';
import type { Json, JsonObject } from '../../../core/json.ts';

/** An event as it is stored, so that a replay sees what the first run saw. */
export interface WebhookEvent {
  readonly eventId: string;
  /** ISO 8601, UTC: what `now()` yields. */
  readonly receivedAt: string;
  readonly method: string;
  /** By senderHeaders: lower-case names, without credentials. */
  readonly headers: JsonObject;
  readonly query: JsonObject;
  readonly body: Json;
}

/** The names that expressions over an event may read. `trigger` is there so that a task's expression fits here too. */
export const EVENT_ROOTS = ['body', 'headers', 'query', 'method', 'trigger'] as const;
export const TRIGGER_MEMBERS = ['type', 'at', 'body', 'headers', 'query', 'method'] as const;

/** `trigger` of CONTRACT 2.2, as the execution that the event starts keeps it. */
export function triggerOf({ receivedAt, body, headers, query, method }: WebhookEvent): JsonObject {
  return { type: 'webhook', at: receivedAt, body, headers, query, method };
}

/**
 * The scope of an event, for all filters and the mapping together: whoever may send one may not make each of a hundred filters
 * take its time. `now()` and `uuid()` are fixed by it: a replay gets the same.
 */
export function eventScope(event: WebhookEvent): Scope {
  const { body, headers, query, method } = event;
  const scope = {
    body,
    headers,
    query,
    method,
    [FUNCTION_CONTEXT]: {
      now: event.receivedAt,
      uuid: (ordinal: number) => uuidFrom(`${event.eventId}#${ordinal}`),
    },
    [STEP_BUDGET]: new EvaluationBudget(),
  };
  // Not enumerable: a query over the whole (`$..id`) must not find everything twice.
  return Object.defineProperty(scope, 'trigger', { value: triggerOf(event) });
}
