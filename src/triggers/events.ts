// Looks at events that nobody has looked at, and starts the workflows whose triggers match.
//   E1  Exactly once: what an event starts is committed together with the mark that it was processed.
//   E2  A trigger that fails (its expressions, its input, its workflow) is noted on the event, and spoils no other.
//   E3  What the database refuses is noted like any other failure: no event can hold up those after it.
//   E4  Nor can a tenant with many events or slow expressions: tenants take turns, and time is bounded.

import type pg from 'pg';
import { compileOnce } from '../core/expression/compile-once.ts';
import { ExpressionError } from '../core/expression/errors.ts';
import type { Scope } from '../core/expression/scope.ts';
import { uuidFrom } from '../core/id.ts';
import { type Json, storableText } from '../core/json.ts';
import type { TaskLog } from '../core/log-lines.ts';
import {
  compileEventTrigger,
  eventScope,
  type TriggeringEvent,
  triggerOf,
} from '../core/trigger/event-trigger.ts';
import { type Database, isConnectionLoss, isRetryable, SYSTEM } from '../db/connection/connection.ts';
import { savepoint } from '../db/connection/transaction.ts';
import type { StartRequest } from '../db/executions/execution-starts.ts';
import { type EventTriggerRow, findTriggersFor } from '../db/triggers/event-triggers.ts';
import {
  type EventError,
  FIRST_TENANT,
  markProcessed,
  type OpenEvent,
  takeOpenEvents,
} from '../db/triggers/events.ts';
import { eventLoop } from '../tasks/event-loop.ts';
import type { Pass } from './scheduler.ts';
import type { Starts } from './starts/starts.ts';

export interface EventPassOptions {
  readonly database: Database;
  readonly starts: Pick<Starts, 'startWith'>;
  readonly log: TaskLog;
  /** Of the expressions of one event together; triggers that have not been asked by then have failed. Default 10,000. */
  readonly maxEvaluationMs?: number;
}

/** Payloads are up to 1 MB each, and the transaction holds its locks for as long as it takes. */
const EVENTS_PER_PASS = 20;
const STARTS_AT_ONCE = 10;
/** Of a pass, in milliseconds: what it has taken and not begun by then is left to the next one. */
const MAX_PASS_MS = 2_000;
/** How long expressions are evaluated without a statement: the transaction has a time limit. */
const BREATHE_MS = 100;
const MAX_ERRORS = 50;

type Trigger = EventTriggerRow & { readonly tenantId: string };

/** One pass takes up to 20 open events of all tenants; any number of processes may run it at the same time. */
export function createEventPass({ database, starts, log, maxEvaluationMs = 10_000 }: EventPassOptions): Pass {
  let turn = FIRST_TENANT;
  let most = EVENTS_PER_PASS;
  const pass = async (client: pg.PoolClient, begunAtMs: number): Promise<number> => {
    const take = async (after: string) => {
      const { events, next } = await takeOpenEvents(client, most, after);
      turn = next;
      return events;
    };
    const after = turn;
    let events = await take(after);
    if (events.length === 0 && after !== FIRST_TENANT) events = await take(FIRST_TENANT);
    if (events.length === 0) return 0;
    const triggers = Map.groupBy(await findTriggersFor(client, events), keyOf);
    let done = 0;
    for (const event of events) {
      if (done > 0 && performance.now() - begunAtMs > MAX_PASS_MS) break;
      const own = triggers.get(keyOf({ ...event, eventType: event.type })) ?? [];
      await processEvent(client, event, own, { starts, log, maxEvaluationMs });
      done++;
    }
    return done;
  };
  return {
    name: 'events',
    async run() {
      const begunAtMs = performance.now();
      try {
        const done = await database.asEngine({ actor: SYSTEM }, (client) => pass(client, begunAtMs));
        most = Math.min(EVENTS_PER_PASS, most * 2);
        return done;
      } catch (error) {
        // E4. One event, and with it one tenant, at a time, until it is known to go well.
        most = 1;
        throw error;
      }
    },
  };
}

const keyOf = ({ tenantId, eventType }: { readonly tenantId: string; readonly eventType: string }) =>
  `${tenantId} ${eventType}`;

async function processEvent(
  client: pg.ClientBase,
  event: OpenEvent,
  triggers: readonly Trigger[],
  { starts, log, maxEvaluationMs }: Omit<Required<EventPassOptions>, 'database'>,
): Promise<void> {
  const { wanted, errors } = await startsOf(client, event, triggers, maxEvaluationMs);
  const startAll = async (list: readonly EventStart[]): Promise<void> => {
    try {
      const requests = list.map(({ request }) => request);
      const results = await savepoint(client, () => starts.startWith(client, event.tenantId, requests));
      for (const [i, result] of results.entries())
        if (!result.ok) errors.push(errorOf(list[i]!, result.code, messageOf(result.problems)));
    } catch (error) {
      if (isConnectionLoss(error) || isRetryable(error)) throw error;
      // Which of them it was is found by trying each alone.
      if (list.length > 1) for (const one of list) await startAll([one]);
      else {
        log.error('a trigger could not start its workflow', { eventId: event.id, error: String(error) });
        errors.push(errorOf(list[0]!, 'unexpected', 'the execution could not be stored'));
      }
    }
  };
  const failed = errors.length;
  for (let i = 0; i < wanted.length; i += STARTS_AT_ONCE) await startAll(wanted.slice(i, i + STARTS_AT_ONCE));
  const started = wanted.length - (errors.length - failed);
  await markProcessed(client, event.id, { started, errors: errors.slice(0, MAX_ERRORS) });
}

interface EventStart {
  /** Of the trigger. */
  readonly name: string;
  readonly request: StartRequest;
}

async function startsOf(
  client: pg.ClientBase,
  { id, type, payload, createdAt, createdBy }: OpenEvent,
  triggers: readonly Trigger[],
  maxEvaluationMs: number,
): Promise<{ readonly wanted: EventStart[]; readonly errors: EventError[] }> {
  const event: TriggeringEvent = { id, type, payload, at: createdAt };
  const wanted: EventStart[] = [];
  const errors: EventError[] = [];
  const begunAtMs = performance.now();
  let breathedAtMs = begunAtMs;
  for (const trigger of triggers) {
    const { workflowId, name, priority } = trigger;
    const nowMs = performance.now();
    if (nowMs - begunAtMs > maxEvaluationMs) {
      errors.push({ workflowId, name, ...TOO_SLOW });
      continue;
    }
    if (nowMs - breathedAtMs > BREATHE_MS) {
      await client.query('select');
      breathedAtMs = performance.now();
    }
    const input = await eventLoop.run(trigger.tenantId, () => inputOf(trigger, eventScope(event, uuidFrom)));
    if (input === null) continue;
    if ('error' in input) {
      errors.push({ workflowId, name, ...input.error });
      continue;
    }
    wanted.push({
      name,
      request: {
        workflowId,
        input: input.value,
        priority,
        triggerType: 'event',
        trigger: triggerOf(event),
        createdBy,
        scope: 'event',
        idempotencyKey: `event:${id}:${workflowId}:${name}`,
      },
    });
  }
  return { wanted, errors };
}

const TOO_SLOW = {
  code: 'timeout',
  message: 'the expressions of the triggers before it took too long for one event',
};

const compiledOf = compileOnce((trigger: Parameters<typeof compileEventTrigger>[0]) =>
  compileEventTrigger(trigger),
);

// Null: the trigger does not look at this event.
function inputOf(
  trigger: Trigger,
  scope: Scope,
): { readonly value: Json } | { readonly error: Pick<EventError, 'code' | 'message'> } | null {
  const compiled = compiledOf({ when: trigger.condition, inputMapping: trigger.inputMapping });
  if (!compiled.ok) return { error: { code: 'expression', message: messageOf(compiled.problems) } };
  try {
    return compiled.value.matches(scope) ? { value: compiled.value.inputOf(scope) } : null;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: { code: error.code, message: storableText(error.message, 500) } };
  }
}

const errorOf = ({ name, request }: EventStart, code: string, message: string): EventError => ({
  workflowId: request.workflowId,
  name,
  code,
  message,
});

function messageOf(problems: readonly { readonly pointer: string; readonly message: string }[]): string {
  const text = problems.map(({ pointer, message }) => (pointer === '' ? message : `${pointer}: ${message}`));
  return storableText(text.join('; '), 500);
}
