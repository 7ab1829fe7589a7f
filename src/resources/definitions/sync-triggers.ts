// Brings what definitions have in the database in step with their `triggers`: several definitions at once, so that a path may go
// from one to another in whatever order they are named.
//   Y1  What is gone is removed for all of them before anything is made for one.
//   Y2  Removed is not deleted. A schedule or webhook that comes back (the same name, the same path) is the same row: its id, its
//       secrets, its events and ticks, and whether it is paused. So a delivery that was processed stays processed, a nominal time
//       that fired stays fired, and a sender's secret is still right, also after a rollback there and back.
//   Y3  Locks: the definitions, which the caller holds; schedules by id; webhooks by id, those that are removed at a wanted path
//       among them. What is decided is decided on rows that are locked. Saves of different definitions meet only at a path: one
//       waits for the other's row, and finds it free or taken.
import type pg from 'pg';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import {
  type EventTrigger,
  eventTriggerName,
  type ScheduleTrigger,
  type TriggerDefinition,
  type WebhookTrigger,
} from '../../core/definition/trigger-model.ts';
import type { Problem } from '../../core/errors.ts';
import type { Acting } from '../../db/connection/connection.ts';
import { findTenantName } from '../../db/resources/webhooks.ts';
import { syncEventTriggers } from '../../db/triggers/event-triggers.ts';
import type { WebhookHost } from '../webhooks/webhooks.ts';
import {
  attachSchedules,
  detachSchedules,
  type FileSchedule,
  type RemovedSchedule,
} from './file-schedules.ts';
import { attachWebhooks, detachWebhooks, type FileWebhook, type RemovedWebhook } from './file-webhooks.ts';
import type { TriggerPlace } from './trigger-place.ts';

/** What a definition has besides its tasks. Names and paths are unique in each list. */
export interface FileTriggers {
  readonly schedules: readonly FileSchedule[];
  readonly webhooks: readonly FileWebhook[];
  /** Names of event triggers. */
  readonly events: readonly string[];
  /** What it had until this save. */
  readonly removed: {
    readonly schedules: readonly Pick<RemovedSchedule, 'id' | 'name'>[];
    readonly webhooks: readonly Pick<RemovedWebhook, 'id' | 'path'>[];
    readonly events: readonly string[];
  };
}

/** Triggers cannot be had: the transaction is to be rolled back. */
export class RefusedTriggers extends Error {
  /** By workflowId. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  constructor(problems: ReadonlyMap<string, readonly Problem[]>) {
    super('triggers are refused');
    this.name = 'RefusedTriggers';
    this.problems = problems;
  }
}

/** The triggers of each definition, in the order given. Throws {@link RefusedTriggers}. */
export async function syncTriggers(
  client: pg.ClientBase,
  acting: Acting,
  definitions: readonly WorkflowDefinition[],
  host: WebhookHost,
): Promise<readonly FileTriggers[]> {
  const { tenantId, actor } = acting;
  const tenantName = await findTenantName(client, tenantId);
  const wanted = definitions.map(triggersByKind);
  const schedules = await detachSchedules(client, tenantId, wanted);
  const webhooks = await detachWebhooks(client, { tenantId, tenantName }, wanted);
  const refused = new Map<string, readonly Problem[]>();
  const synced: FileTriggers[] = [];
  for (const one of wanted) {
    const { workflowId } = one;
    const isOwn = (removed: { readonly workflowId: string }) => removed.workflowId === workflowId;
    const kept = await attachSchedules(client, acting, one, schedules.standing);
    const served = await attachWebhooks(client, { tenantId, tenantName, actor }, one, {
      standing: webhooks.standing,
      host,
    });
    const problems = [...kept.problems, ...served.problems];
    if (problems.length > 0) refused.set(workflowId, problems);
    const events = await syncEvents(client, tenantId, one);
    synced.push({
      schedules: kept.schedules,
      webhooks: served.webhooks,
      events: events.names,
      removed: {
        schedules: schedules.removed.filter(isOwn).map(({ id, name }) => ({ id, name })),
        webhooks: webhooks.removed.filter(isOwn).map(({ id, path }) => ({ id, path })),
        events: events.removed,
      },
    });
  }
  if (refused.size > 0) throw new RefusedTriggers(refused);
  return synced;
}

/** The triggers of a definition with their places. */
export function triggersByKind({ workflowId, triggers = [] }: WorkflowDefinition) {
  const places = triggers.map((trigger, i) => ({ pointer: `/triggers/${i}`, trigger }));
  const of = <T extends TriggerDefinition>(type: T['type']) =>
    places.filter(({ trigger }) => trigger.type === type) as unknown as readonly TriggerPlace<T>[];
  return {
    workflowId,
    schedules: of<ScheduleTrigger>('schedule'),
    webhooks: of<WebhookTrigger>('webhook'),
    events: of<EventTrigger>('event'),
  };
}

// Nothing hangs on the row of an event trigger: one that comes back is as good as new.
async function syncEvents(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, events }: Pick<ReturnType<typeof triggersByKind>, 'workflowId' | 'events'>,
) {
  const rows = events.map(({ trigger }) => ({
    name: eventTriggerName(trigger),
    eventType: trigger.event,
    condition: trigger.when ?? null,
    inputMapping: trigger.inputMapping ?? null,
    priority: trigger.priority ?? 5,
  }));
  const removed = await syncEventTriggers(client, tenantId, workflowId, rows);
  return { names: rows.map(({ name }) => name), removed };
}
