// One execution and its tasks as users see them, read under the tenant's role.
import type pg from 'pg';
import type { TaskError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { ExecutionStatus, SkipReason, TaskStatus } from '../../core/status.ts';
import { boundedPage, withinBytes } from '../connection/byte-bounded.ts';

/** One execution as `run --json` and `executions show --json` print it. Money is a decimal string, or null: unknown. */
export interface ExecutionView {
  readonly id: string;
  readonly workflowId: string;
  readonly revision: number;
  readonly status: ExecutionStatus;
  readonly output: Json;
  readonly error: TaskError | null;
  readonly completedWithErrors: boolean;
  readonly costUsd: string | null;
  readonly durationMs: number | null;
  readonly triggerType: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
}

export interface TaskView {
  readonly taskId: string;
  /** Null: the task itself. */
  readonly mapIndex: number | null;
  readonly taskType: string;
  readonly status: TaskStatus;
  readonly reason: SkipReason | null;
  readonly attempt: number;
  readonly output: Json;
  readonly error: TaskError | null;
  readonly costUsd: string | null;
  readonly durationMs: number | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly resourceUsage: Json;
}

const NAMED = 'id, workflow_id as "workflowId", revision, status';
const FACTS = `completed_with_errors as "completedWithErrors", case when not cost_unknown then actual_cost_usd end as "costUsd",
  duration_ms as "durationMs", trigger_type as "triggerType", created_at as "createdAt", started_at as "startedAt",
  completed_at as "completedAt"`;
export const EXECUTION_COLUMNS = `${NAMED}, output, error, ${FACTS}`;

/** Of a task_executions t. */
export const TASK_COLUMNS = `t.task_id as "taskId", nullif(t.map_index, -1) as "mapIndex", t.task_type as "taskType", t.status, t.reason,
  t.attempt_number as attempt, t.output, t.error, t.cost_usd as "costUsd", t.duration_ms as "durationMs",
  t.started_at as "startedAt", t.completed_at as "completedAt", t.resource_usage as "resourceUsage"`;

/** Those of {@link TASK_COLUMNS} that may be large. */
export const TASK_JSON = ['output', 'error', '"resourceUsage"'] as const;

/** The execution, or null where this tenant has none with that id. */
export async function findExecution(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<ExecutionView | null> {
  const { rows } = await client.query<ExecutionView>(
    `select ${EXECUTION_COLUMNS} from dagwright.workflow_executions where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** What of an execution may be large: each is read by itself where it is. */
export const EXECUTION_PARTS = ['error', 'metadata', 'input', 'output'] as const;
export type ExecutionPart = (typeof EXECUTION_PARTS)[number];

/** One execution as `GET /v1/executions/{id}` shows it. */
export interface ExecutionDetail extends ExecutionView {
  readonly priority: number;
  readonly runAt: string | null;
  readonly pausedAt: string | null;
  readonly createdBy: string | null;
  readonly input: unknown;
  readonly metadata: unknown;
  /** Parts that did not fit, and are null here. */
  readonly leftOut: readonly ExecutionPart[];
}

/**
 * The execution with what was asked for; null where this tenant has none with that id. Its parts, in their order, as far as they
 * have `maxBytes` together; those from there on are left out.
 */
export async function findExecutionDetail(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  maxBytes: number,
): Promise<ExecutionDetail | null> {
  const sums = EXECUTION_PARTS.map((_, i) =>
    EXECUTION_PARTS.slice(0, i + 1)
      .map((part) => `coalesce(octet_length(${part}::text), 0)`)
      .join(' + '),
  );
  const fits = EXECUTION_PARTS.map((part, i) => `${sums[i]} <= $3 as fits_${part}`);
  const given = (part: ExecutionPart) => `case when fits_${part} then ${part} end as ${part}`;
  const missing = EXECUTION_PARTS.map((part) => `case when not fits_${part} then '${part}' end`);
  const { rows } = await client.query<ExecutionDetail>(
    `with found as materialized (select *, ${fits.join(', ')} from dagwright.workflow_executions where tenant_id = $1 and id = $2)
       select ${NAMED}, ${given('output')}, ${given('error')}, ${FACTS}, priority, run_at as "runAt", paused_at as "pausedAt",
         created_by as "createdBy", ${given('input')}, ${given('metadata')},
         array_remove(array[${missing.join(', ')}], null) as "leftOut" from found`,
    [tenantId, id, maxBytes],
  );
  return rows[0] ?? null;
}

/**
 * One part of an execution as JSON text, unparsed; `text` is null where it has more than `maxBytes`. Null where this tenant has no
 * execution with that id.
 */
export async function findExecutionPart(
  client: pg.ClientBase,
  tenantId: string,
  { id, part, maxBytes }: { readonly id: string; readonly part: ExecutionPart; readonly maxBytes: number },
): Promise<{ readonly text: string | null } | null> {
  const { rows } = await client.query<{ text: string | null }>(
    `with found as materialized (select coalesce(${part}::text, 'null') as text
         from dagwright.workflow_executions where tenant_id = $1 and id = $2)
       select case when octet_length(text) <= $3 then text end as text from found`,
    [tenantId, id, maxBytes],
  );
  return rows[0] ?? null;
}

const tasksSql = (condition = '') => `select ${TASK_COLUMNS}
       from dagwright.task_executions t
       join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       left join (select v.id, n.value->>'taskId' as task_id, n.ordinality as position
                  from dagwright.workflow_versions v, json_array_elements(v.definition->'nodes') with ordinality n where v.id = (select version_id from dagwright.workflow_executions where id = $2)) p
         on p.id = o.version_id and p.task_id = t.task_id
       where o.tenant_id = $1 and o.id = $2 ${condition} order by p.position nulls last, t.task_id, t.map_index`;

/** The tasks of an execution in the order of the definition, items after their fan-out. */
export async function findTasks(client: pg.ClientBase, tenantId: string, id: string): Promise<TaskView[]> {
  const { rows } = await client.query<TaskView>(tasksSql(), [tenantId, id]);
  return rows;
}

/** An execution with its tasks: the object of `run --json` and `executions show --json` (CONTRACT 5). */
export interface RunView extends ExecutionView {
  readonly tasks: readonly TaskView[];
}

/**
 * An execution that has ended with its tasks, or null where this tenant has none with that id, or its output or those of its tasks have
 * more than `maxBytes`: they are not loaded then.
 */
export async function findRun(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  maxBytes: number,
): Promise<RunView | null> {
  const values = [tenantId, id, maxBytes];
  const fits = 'coalesce(octet_length(output::text), 0) <= $3';
  const own = 'from dagwright.workflow_executions where tenant_id = $1 and id = $2';
  const tasks = tasksSql(`and (select ${fits} ${own})`);
  // Sent together: of what has ended nothing changes between them.
  const [{ rows }, found] = await Promise.all([
    client.query<ExecutionView>({
      ...{ name: 'find_run', values },
      text: `select ${EXECUTION_COLUMNS} ${own} and ${fits}`,
    }),
    client.query({
      ...{ name: `find_run_tasks ${maxBytes}`, values },
      text: withinBytes(tasks, { maxBytes, json: TASK_JSON }),
    }),
  ]);
  const [execution] = rows;
  const page = boundedPage<TaskView>(found.rows);
  return execution === undefined || page.hasMore ? null : { ...execution, tasks: page.rows };
}
