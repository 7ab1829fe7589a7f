// Which schedules and webhooks belong to the definition of a workflow: those made from its `triggers`, not by hand.
import type { Queryable } from './transitions.ts';

/** Ids by name, locked until the transaction ends. */
export async function lockFileSchedules(
  client: Queryable,
  tenantId: string,
  workflowId: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ id: string; name: string }>(
    `select id, name from dagwright.schedules where tenant_id = $1 and workflow_id = $2 and from_definition
     order by id for no key update`,
    [tenantId, workflowId],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Ids by path (without the tenant's name), locked until the transaction ends. */
export async function lockFileWebhooks(
  client: Queryable,
  tenantId: string,
  workflowId: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ id: string; path: string }>(
    `select id, path from dagwright.webhooks where tenant_id = $1 and workflow_id = $2 and from_definition
     order by id for no key update`,
    [tenantId, workflowId],
  );
  return new Map(rows.map(({ id, path }) => [path, id]));
}
