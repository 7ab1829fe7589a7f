// What is not over in an execution, and all that says why: for `why`. Two bounded statements, whatever the run's size.

import type pg from 'pg';
import { type HeldBy, NOT_NOW, type TaskError } from '../../core/errors.ts';
import type { ExecutionStatus, TaskStatus } from '../../core/status.ts';
import type { WaitKind } from '../../core/wait.ts';

export interface OpenTask {
  readonly taskId: string;
  readonly mapIndex: number | null;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly pendingEdges: number;
  readonly waitingOn: WaitKind | null;
  /** ISO; the timer that is set, or was when the execution was paused. */
  readonly wakeAt: string | null;
  readonly readyAt: string | null;
  /** Of a ready one: the task types that it needs and no live worker has. */
  readonly missingTypes: readonly string[];
  readonly startedAt: string | null;
  readonly workerId: string | null;
  /** Without its details. */
  readonly error: TaskError | null;
  /** Of a task that could not run yet: what holds it; null: unknown, or none. */
  readonly heldBy: HeldBy | null;
  readonly items: {
    readonly total: number;
    readonly open: number;
    readonly ok: number;
    readonly failed: number;
  } | null;
  /** The names of the signals that it waits for; empty: for none. */
  readonly signals: readonly string[];
  /** That it waits for. */
  readonly review: { readonly id: string; readonly dueAt: string | null } | null;
  /** Parents that have not ended, by name; at most 20 of them. */
  readonly openParents: readonly { readonly taskId: string; readonly status: TaskStatus }[];
}

export interface OpenExecution {
  readonly status: ExecutionStatus;
  readonly runAt: string | null;
  readonly pausedAt: string | null;
  readonly openTasks: number;
  readonly createdAt: string;
  /** The operator's limit of its tenant; null: none. */
  readonly maxRunningTasks: number | null;
}

/** The execution and its tasks that are not terminal, at most `limit`; null where this tenant has none with that id. */
export async function findOpenTasks(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  limit: number,
): Promise<{ readonly execution: OpenExecution; readonly tasks: readonly OpenTask[] } | null> {
  const { rows } = await client.query<OpenExecution>(
    `select status, run_at as "runAt", paused_at as "pausedAt", open_tasks as "openTasks", created_at as "createdAt",
         (select max_running_tasks from dagwright.tenants t where t.id = $1) as "maxRunningTasks"
       from dagwright.workflow_executions where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  const execution = rows[0];
  if (execution === undefined) return null;
  const open = await client.query<OpenTask>(
    `with open as materialized (
         select * from dagwright.task_executions t where t.tenant_id = $1 and t.workflow_execution_id = $2
           and t.status in ('pending', 'running', 'waiting', 'retrying')
         order by t.status = 'pending' and t.ready_at is null, t.task_id, t.map_index limit $3),
       needs as materialized (
         select n.* from dagwright.workflow_executions o cross join lateral dagwright.read_needs_v1(o.version_id) n where o.id = $2),
       missing as materialized (
         select n.needs, dagwright.missing_types_v1(n.needs) as types from (
           select distinct dagwright.needs_of_v1(needs.usual, needs.others, open.task_id) as needs from open, needs where open.ready_at is not null) n
         where n.needs is not null),
       nodes as materialized (
         select n.value->>'taskId' as task_id, n.value->'dependsOn' as depends_on
         from dagwright.workflow_executions o join dagwright.workflow_versions v on v.id = o.version_id,
           json_array_elements(v.definition->'nodes') n
         where o.id = $2 and exists (select from open where open.pending_edges > 0 and open.task_id = n.value->>'taskId'))
       select t.task_id as "taskId", nullif(t.map_index, -1) as "mapIndex", t.status, t.attempt_number as attempt,
         t.pending_edges as "pendingEdges", t.waiting_on as "waitingOn", coalesce(t.wake_at, t.held_wake_at) as "wakeAt",
         t.ready_at as "readyAt", coalesce(missing.types, '{}') as "missingTypes", t.started_at as "startedAt", t.worker_id as "workerId", t.error - 'details' as error,
         case when t.error->>'code' = '${NOT_NOW}' then t.error->'details' end as "heldBy",
         case when t.items_total is not null then json_build_object('total', t.items_total, 'open', t.items_open,
           'ok', t.items_ok, 'failed', t.items_failed) end as items,
         array(select w.name from dagwright.signal_waits w where t.status = 'waiting' and t.waiting_on::text = 'signal'
           and w.workflow_execution_id = $2 and w.task_id = t.task_id and w.map_index = t.map_index order by w.name) as signals,
         case when t.waiting_on = 'review' then (select json_build_object('id', h.id, 'dueAt', dagwright.iso_v1(h.due_at)) from dagwright.human_tasks h
           where h.workflow_execution_id = $2 and h.task_id = t.task_id and h.map_index = t.map_index order by h.fence desc limit 1) end as review,
         coalesce((select json_agg(json_build_object('taskId', p.task_id, 'status', p.status)) from (
           select q.task_id, q.status from json_array_elements(nodes.depends_on) e
           join dagwright.task_executions q on q.workflow_execution_id = $2 and q.map_index = -1
             and q.task_id = case json_typeof(e.value) when 'string' then e.value #>> '{}' else e.value->>'taskId' end
           where q.status in ('pending', 'running', 'waiting', 'retrying') limit 20) p), '[]') as "openParents"
       from open t cross join needs left join missing on t.ready_at is not null
           and missing.needs = dagwright.needs_of_v1(needs.usual, needs.others, t.task_id)
         left join nodes on nodes.task_id = t.task_id and t.map_index = -1
       order by t.status = 'pending' and t.ready_at is null, t.task_id, t.map_index`,
    [tenantId, id, limit],
  );
  return { execution, tasks: open.rows };
}
