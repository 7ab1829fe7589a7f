// Executions and their tasks page by page, under the tenant's role. A page begins after a place, never at a number of rows,
// so that what is written meanwhile moves nothing.

import type pg from 'pg';
import type { JsonObject } from '../../core/json.ts';
import { type ExecutionStatus, isTerminalExecution } from '../../core/status.ts';
import type { TriggerType } from '../../core/trigger/trigger-type.ts';
import { type BoundedPage, boundedPage, withinBytes } from '../connection/byte-bounded.ts';
import {
  EXECUTION_COLUMNS,
  type ExecutionView,
  TASK_COLUMNS,
  TASK_JSON,
  type TaskView,
} from './execution-views.ts';

export interface ExecutionFilter {
  readonly limit: number;
  readonly status?: ExecutionStatus | undefined;
  readonly workflowId?: string | undefined;
  readonly triggerType?: TriggerType | undefined;
  /** ISO instants: created at or after `from`, before `to`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** What the execution's metadata contain (jsonb @>). */
  readonly metadata?: JsonObject | undefined;
  /** The id to go on after. */
  readonly before?: string | undefined;
}

// An id is made by the clock of who asks, created_at by the database's.
const CLOCK_SLACK = `interval '1 hour'`;

/** The statement of {@link findExecutions}, by itself so that its plan can be looked at. */
export function executionListQuery(
  tenantId: string,
  filter: ExecutionFilter,
): { readonly text: string; readonly values: unknown[] } {
  const values: unknown[] = [tenantId, filter.limit + 1];
  const where = ['tenant_id = $1'];
  const add = (value: unknown, condition: (place: string) => string) => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  add(filter.workflowId, (p) => `workflow_id = ${p}`);
  add(filter.before, (p) => `id < ${p}::uuid`);
  add(
    filter.from,
    (p) =>
      `created_at >= ${p}::timestamptz and id >= dagwright.first_id_v1(${p}::timestamptz - ${CLOCK_SLACK})`,
  );
  add(
    filter.to,
    (p) =>
      `created_at < ${p}::timestamptz and id < dagwright.first_id_v1(${p}::timestamptz + ${CLOCK_SLACK})`,
  );
  add(filter.triggerType, (p) => `trigger_type = ${p}::dagwright.trigger_type`);
  add(filter.metadata && JSON.stringify(filter.metadata), (p) => `metadata @> ${p}::jsonb`);
  add(filter.status, (p) => `status = ${p}::dagwright.execution_status`);
  // Open executions are few among many: their own index holds them.
  if (filter.status !== undefined && !isTerminalExecution(filter.status))
    where.push(`status in ('pending', 'running', 'paused')`);
  // So are those that went wrong, also where that was long ago.
  if (filter.status === 'failed' || filter.status === 'cancelled')
    where.push(`status in ('failed', 'cancelled')`);
  const select = `select ${EXECUTION_COLUMNS} from dagwright.workflow_executions
       where ${where.join(' and ')} order by id desc limit $2`;
  const bounds = { limit: filter.limit, json: ['output', 'error'] };
  return { text: withinBytes(select, bounds), values };
}

/** Newest first; fewer than asked for where they are large. */
export async function findExecutions(
  client: pg.ClientBase,
  tenantId: string,
  filter: ExecutionFilter,
): Promise<BoundedPage<ExecutionView>> {
  const { rows } = await client.query(executionListQuery(tenantId, filter));
  return boundedPage<ExecutionView>(rows);
}

/** A place among the tasks of an execution: that of the task in the definition, its name, its index (-1: itself). */
export interface TaskPlace {
  readonly position: number;
  readonly taskId: string;
  readonly mapIndex: number;
}

/** Tasks in the order of the definition, items after their fan-out, from after a place on; fewer where they are large. */
export async function findTaskPage(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  page: { readonly limit: number; readonly after: TaskPlace | null },
): Promise<BoundedPage<TaskView & { readonly position: number }>> {
  const { after } = page;
  const bounds = { limit: page.limit, json: TASK_JSON };
  const { rows } = await client.query(
    withinBytes(
      `select ${TASK_COLUMNS}, coalesce(p.position, 2147483647)::int as position
       from dagwright.task_executions t
       left join (select n.value->>'taskId' as task_id, n.ordinality as position
                  from dagwright.workflow_executions o join dagwright.workflow_versions v on v.id = o.version_id,
                    json_array_elements(v.definition->'nodes') with ordinality n where o.id = $2 and o.tenant_id = $1) p
         on p.task_id = t.task_id
       where t.tenant_id = $1 and t.workflow_execution_id = $2 and ($4::int is null
         or (coalesce(p.position, 2147483647)::int, t.task_id, t.map_index) > ($4::int, $5::text, $6::int))
       order by 14, t.task_id, t.map_index limit $3`,
      bounds,
    ),
    [tenantId, id, page.limit + 1, after?.position ?? null, after?.taskId ?? null, after?.mapIndex ?? null],
  );
  return boundedPage<TaskView & { position: number }>(rows);
}
