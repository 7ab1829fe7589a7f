// Executions as users see them: started, cancelled, listed, shown. Reads run under the tenant's role.
import type { TaskError } from '../../core/errors.ts';
import { newId } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import type { ExecutionStatus, SkipReason, TaskStatus } from '../../core/status.ts';
import type { TriggerType } from '../../core/trigger/trigger-type.ts';
import { within } from '../connection/bounded-client.ts';
import { boundedPage, withinBytes } from '../connection/byte-bounded.ts';
import type { Acting, Database, Queryable } from '../connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../resources/default-tenant.ts';

export interface StartRequest {
  /** Of the execution, where the caller may have to send it twice: the same id starts once. Made here where absent. */
  readonly id?: string;
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
  /** Of the idempotency key: keys of different scopes do not meet. Default `start:<workflowId>`. */
  readonly scope?: string;
  /** SHA-256 in hex of what was asked; the same key with another is refused. */
  readonly requestHash?: string;
  /** ISO instant; the execution is opened only then. */
  readonly runAt?: string;
}

/** Why a start is refused: `key_reused` is the same idempotency key with another request. */
export type StartProblem = 'not_found' | 'not_active' | 'tenant_suspended' | 'tier_too_low' | 'key_reused';

export type Started =
  | { readonly ok: true; readonly id: string; readonly existing: boolean }
  | { readonly ok: false; readonly problem: StartProblem };

/** Records starts of one tenant in one commit. */
export async function startExecutions(
  database: Database,
  tenantId: string,
  requests: readonly StartRequest[],
): Promise<Started[]> {
  return await startExecutionsWith(database.engine, tenantId, requests);
}

/**
 * Records starts of one tenant in the caller's transaction, which is of the engine's role. Given up by the client after
 * `limitMs`.
 */
export async function startExecutionsWith(
  db: Queryable,
  tenantId: string,
  requests: readonly StartRequest[],
  limitMs?: number,
): Promise<Started[]> {
  const items = requests.map((r, i) => ({
    ...r,
    i,
    id: r.id ?? newId(),
    idempotencyKey: undefined,
    key: r.idempotencyKey,
    input: r.input ?? {},
  }));
  const { rows } = await db.query<{
    i: number;
    id: string;
    existing: boolean;
    problem: string | null;
  }>({
    ...(limitMs === undefined ? {} : within(limitMs)),
    name: 'start_executions_v1',
    text: 'select i, id, existing, problem from dagwright.start_executions_v1($1, $2)',
    values: [tenantId, JSON.stringify(items)],
  });
  const results = new Array<Started>(requests.length);
  for (const { i, id, existing, problem } of rows) {
    results[i] =
      problem === null ? { ok: true, id, existing } : { ok: false, problem: problem as StartProblem };
  }
  return results;
}

/** Pauses: what runs may end, nothing else begins. The status afterwards, or null where there is no such execution. */
export async function pauseExecution(
  database: Database,
  acting: Acting | string,
  id: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(acting, async (client) => {
    const { rows } = await client.query('select dagwright.pause_execution($1) as status', [id]);
    return rows[0].status;
  });
}

/** Lets a paused execution go on. The status afterwards, or null where there is no such execution. */
export async function resumeExecution(
  database: Database,
  acting: Acting | string,
  id: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(acting, async (client) => {
    const { rows } = await client.query('select dagwright.resume_execution($1) as status', [id]);
    return rows[0].status;
  });
}

/** Cancels; the status afterwards, or null where there is no such execution. */
export async function cancelExecution(
  database: Database,
  acting: Acting | string,
  id: string,
  reason?: string,
): Promise<ExecutionStatus | null> {
  return await database.withTenant(acting, async (client) => {
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

export const EXECUTION_COLUMNS = `id, workflow_id as "workflowId", revision, status, output, error,
  completed_with_errors as "completedWithErrors", case when not cost_unknown then actual_cost_usd end as "costUsd",
  duration_ms as "durationMs", trigger_type as "triggerType", created_at as "createdAt", started_at as "startedAt",
  completed_at as "completedAt"`;

/** Of a task_executions t. */
export const TASK_COLUMNS = `t.task_id as "taskId", nullif(t.map_index, -1) as "mapIndex", t.task_type as "taskType", t.status, t.reason,
  t.attempt_number as attempt, t.output, t.error, t.cost_usd as "costUsd", t.duration_ms as "durationMs",
  t.started_at as "startedAt", t.completed_at as "completedAt", t.resource_usage as "resourceUsage"`;

/** Those of {@link TASK_COLUMNS} that may be large. */
export const TASK_JSON = ['output', 'error', '"resourceUsage"'] as const;

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

const TASKS_SQL = `select ${TASK_COLUMNS}
       from dagwright.task_executions t
       join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       left join (select v.id, n.value->>'taskId' as task_id, n.ordinality as position
                  from dagwright.workflow_versions v, json_array_elements(v.definition->'nodes') with ordinality n where v.id = (select version_id from dagwright.workflow_executions where id = $2)) p
         on p.id = o.version_id and p.task_id = t.task_id
       where o.tenant_id = $1 and o.id = $2 order by p.position nulls last, t.task_id, t.map_index`;

/** The tasks of an execution in the order of the definition, items after their fan-out. */
export async function findTasks(database: Database, tenantId: string, id: string): Promise<TaskView[]> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query<TaskView>(TASKS_SQL, [tenantId, id]);
    return rows;
  });
}

/** An execution with its tasks: the object of `run --json` and `executions show --json` (CONTRACT 5). */
export interface RunView extends ExecutionView {
  readonly tasks: readonly TaskView[];
}

/**
 * The execution with its tasks, or null where this tenant has none with that id, or its tasks hold more than `maxBytes` of
 * outputs, which are not loaded then.
 */
export async function findRun(
  database: Database,
  { tenantId }: Acting,
  id: string,
  maxBytes: number,
): Promise<RunView | null> {
  const tasks = await database.withTenant(tenantId, async (client) => {
    const text = withinBytes(TASKS_SQL, { maxBytes, json: TASK_JSON });
    return boundedPage<TaskView>((await client.query(text, [tenantId, id])).rows);
  });
  if (tasks.hasMore) return null;
  const execution = await findExecution(database, tenantId, id);
  return execution && { ...execution, tasks: tasks.rows };
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
