// Executions as users see them: started, cancelled, listed, shown. Reads run under the tenant's role.
import type { TaskError } from '../core/errors.ts';
import { newId } from '../core/id.ts';
import type { Json } from '../core/json.ts';
import type { ExecutionStatus, SkipReason, TaskStatus } from '../core/status.ts';
import type { TriggerType } from '../core/trigger-type.ts';
import type { Database } from './connection.ts';
import { DEFAULT_TENANT_ID } from './default-tenant.ts';

export interface StartRequest {
  readonly workflowId: string;
  readonly input?: Json;
  readonly idempotencyKey?: string;
  /** 1 to 10, higher first; 5 where absent. */
  readonly priority?: number;
  readonly revision?: number;
  readonly triggerType: TriggerType;
  readonly trigger?: Json;
  readonly metadata?: Json;
  readonly createdBy?: string;
}

export type Started =
  | { readonly ok: true; readonly id: string; readonly existing: boolean }
  | { readonly ok: false; readonly problem: 'not_found' | 'not_active' };

/** Records starts of one tenant in one commit. */
export async function startExecutions(
  database: Database,
  tenantId: string,
  requests: readonly StartRequest[],
): Promise<Started[]> {
  const items = requests.map((r, i) => ({
    ...r,
    i,
    id: newId(),
    idempotencyKey: undefined,
    key: r.idempotencyKey,
    input: r.input ?? {},
  }));
  const { rows } = await database.engine.query<{
    i: number;
    id: string;
    existing: boolean;
    problem: string | null;
  }>({
    name: 'start_executions_v1',
    text: 'select i, id, existing, problem from dagwright.start_executions_v1($1, $2)',
    values: [tenantId, JSON.stringify(items)],
  });
  const results = new Array<Started>(requests.length);
  for (const { i, id, existing, problem } of rows) {
    results[i] =
      problem === null
        ? { ok: true, id, existing }
        : { ok: false, problem: problem as 'not_found' | 'not_active' };
  }
  return results;
}

/** Pauses: what runs may end, nothing else begins. The status afterwards, or null where there is no such execution. */
export async function pauseExecution(
  database: Database,
  tenantId: string,
  id: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query('select dagwright.pause_execution($1) as status', [id]);
    return rows[0].status;
  });
}

/** Lets a paused execution go on. The status afterwards, or null where there is no such execution. */
export async function resumeExecution(
  database: Database,
  tenantId: string,
  id: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query('select dagwright.resume_execution($1) as status', [id]);
    return rows[0].status;
  });
}

/** Cancels; the status afterwards, or null where there is no such execution. */
export async function cancelExecution(
  database: Database,
  tenantId: string,
  id: string,
  reason?: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query('select dagwright.cancel_execution($1, $2) as status', [
      id,
      reason ?? null,
    ]);
    return rows[0].status;
  });
}

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

const EXECUTION_COLUMNS = `id, workflow_id as "workflowId", revision, status, output, error,
  completed_with_errors as "completedWithErrors", case when not cost_unknown then actual_cost_usd end as "costUsd",
  duration_ms as "durationMs", trigger_type as "triggerType", created_at as "createdAt", started_at as "startedAt",
  completed_at as "completedAt"`;

/** The execution, or null where this tenant has none with that id. */
export async function findExecution(
  database: Database,
  tenantId: string,
  id: string,
): Promise<ExecutionView | null> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query<ExecutionView>(
      `select ${EXECUTION_COLUMNS} from dagwright.workflow_executions where tenant_id = $1 and id = $2`,
      [tenantId, id],
    );
    return rows[0] ?? null;
  });
}

/** The tasks of an execution in the order of the definition, items after their fan-out. */
export async function findTasks(database: Database, tenantId: string, id: string): Promise<TaskView[]> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query<TaskView>(
      `select t.task_id as "taskId", nullif(t.map_index, -1) as "mapIndex", t.task_type as "taskType", t.status, t.reason,
         t.attempt_number as attempt, t.output, t.error, t.cost_usd as "costUsd", t.duration_ms as "durationMs",
         t.started_at as "startedAt", t.completed_at as "completedAt", t.resource_usage as "resourceUsage"
       from dagwright.task_executions t
       join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       left join (select v.id, n.value->>'taskId' as task_id, n.ordinality as position
                  from dagwright.workflow_versions v, json_array_elements(v.definition->'nodes') with ordinality n where v.id = (select version_id from dagwright.workflow_executions where id = $2)) p
         on p.id = o.version_id and p.task_id = t.task_id
       where o.tenant_id = $1 and o.id = $2 order by p.position nulls last, t.task_id, t.map_index`,
      [tenantId, id],
    );
    return rows;
  });
}

/** Newest first; `before` is the id to go on after. */
export async function listExecutions(
  database: Database,
  tenantId: string,
  filter: {
    readonly limit: number;
    readonly status?: string;
    readonly workflowId?: string;
    readonly before?: string;
  },
): Promise<ExecutionView[]> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query<ExecutionView>(
      `select ${EXECUTION_COLUMNS} from dagwright.workflow_executions
       where tenant_id = $1 and ($3::text is null or status::text = $3) and ($4::text is null or workflow_id = $4)
         and ($5::uuid is null or id < $5) order by id desc limit $2`,
      [tenantId, filter.limit, filter.status ?? null, filter.workflowId ?? null, filter.before ?? null],
    );
    return rows;
  });
}

/** The id of a tenant by its name, or null. */
export async function findTenant(database: Database, name: string): Promise<string | null> {
  if (name === 'default') return DEFAULT_TENANT_ID;
  const { rows } = await database.engine.query<{ id: string }>(
    'select id from dagwright.tenants where name = $1',
    [name],
  );
  return rows[0]?.id ?? null;
}
