// Which schedules and webhooks belong to the definition of a workflow: those made from its `triggers`, not by hand.
import type { Queryable } from '../connection/connection.ts';

export interface FileScheduleRow {
  readonly id: string;
  readonly workflowId: string;
  readonly name: string;
  readonly isRemoved: boolean;
}

/** Those of these workflows, also removed ones, locked until the transaction ends. */
export async function lockFileSchedules(
  client: Queryable,
  tenantId: string,
  workflowIds: readonly string[],
): Promise<readonly FileScheduleRow[]> {
  const { rows } = await client.query<FileScheduleRow>(
    `select id, workflow_id as "workflowId", name, removed_at is not null as "isRemoved" from dagwright.schedules
     where tenant_id = $1 and workflow_id = any($2) and from_definition order by id for no key update`,
    [tenantId, workflowIds],
  );
  return rows;
}

export interface FileWebhookRow {
  readonly id: string;
  readonly workflowId: string;
  /** Without the tenant's name. */
  readonly path: string;
  readonly isRemoved: boolean;
}

/** Those of these workflows, and the removed ones of any workflow at these paths, locked until the transaction ends. */
export async function lockFileWebhooks(
  client: Queryable,
  tenantId: string,
  { workflowIds, paths }: { readonly workflowIds: readonly string[]; readonly paths: readonly string[] },
): Promise<readonly FileWebhookRow[]> {
  const { rows } = await client.query<FileWebhookRow>(
    `select id, workflow_id as "workflowId", path, removed_at is not null as "isRemoved" from dagwright.webhooks
     where tenant_id = $1 and from_definition
       and case when removed_at is null then workflow_id = any($2) else path = any($3) end order by id for no key update`,
    [tenantId, workflowIds, paths],
  );
  return rows;
}
