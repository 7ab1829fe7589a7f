// Triggers of type `event`, as the definitions that they belong to name them.

import type pg from 'pg';
import type { Json } from '../../core/json.ts';
import type { Queryable } from '../connection/connection.ts';

export interface EventTriggerRow {
  readonly workflowId: string;
  readonly name: string;
  readonly eventType: string;
  /** Null: all events of the type. */
  readonly condition: Json;
  /** Null: the payload. */
  readonly inputMapping: Json;
  readonly priority: number;
}

/** Brings the event triggers of a workflow in step with these; rows that are so already are not touched. Names of those that went. */
export async function syncEventTriggers(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
  triggers: readonly Omit<EventTriggerRow, 'workflowId'>[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'delete from dagwright.event_triggers where tenant_id = $1 and workflow_id = $2 and name <> all($3) returning name',
    [tenantId, workflowId, triggers.map(({ name }) => name)],
  );
  const gone = rows.map(({ name }) => name).sort();
  if (triggers.length === 0) return gone;
  await client.query(
    `insert into dagwright.event_triggers as t (tenant_id, workflow_id, name, event_type, condition, input_mapping, priority)
     select $1, $2, x.name, x."eventType", nullif(x.condition, 'null'), nullif(x."inputMapping", 'null'), x.priority
     from jsonb_to_recordset($3) as x(name text, "eventType" text, condition jsonb, "inputMapping" jsonb, priority int)
     on conflict (tenant_id, workflow_id, name) do update set event_type = excluded.event_type, condition = excluded.condition,
       input_mapping = excluded.input_mapping, priority = excluded.priority
     where (t.event_type, t.condition, t.input_mapping, t.priority)
       is distinct from (excluded.event_type, excluded.condition, excluded.input_mapping, excluded.priority)`,
    [tenantId, workflowId, JSON.stringify(triggers)],
  );
  return gone;
}

/**
 * For events of all tenants: the triggers that look at their type, in a fixed order. Also those of workflows that are not
 * active: the start refuses them, and the event tells it.
 */
export async function findTriggersFor(
  db: Queryable,
  events: readonly { readonly tenantId: string; readonly type: string }[],
): Promise<(EventTriggerRow & { readonly tenantId: string })[]> {
  const { rows } = await db.query<EventTriggerRow & { tenantId: string }>({
    name: 'find_event_triggers',
    text: `select t.tenant_id as "tenantId", t.workflow_id as "workflowId", t.name, t.event_type as "eventType", t.condition,
        t.input_mapping as "inputMapping", t.priority
      from (select distinct tenant_id, type from unnest($1::uuid[], $2::text[]) as w(tenant_id, type)) w
      join dagwright.event_triggers t on t.tenant_id = w.tenant_id and t.event_type = w.type
      order by t.tenant_id, t.event_type, t.workflow_id, t.name`,
    values: [events.map(({ tenantId }) => tenantId), events.map(({ type }) => type)],
  });
  return rows;
}
