// What the engine reads: executions to open or go on with, results and states of tasks, parts of a fan-out.

import type { TaskError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { TaskState } from '../../core/plan/decide.ts';
import type { ExecutionStatus, SkipReason, TaskStatus } from '../../core/status.ts';
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { lockedOrGone } from './lock-first.ts';
import type { Claim } from './transitions.ts';

export interface ExecutionRow {
  readonly id: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly revision: number;
  readonly versionId: string;
  readonly status: ExecutionStatus;
  readonly openTasks: number;
  readonly failedTasks: number;
  readonly triggerType: string;
  readonly trigger: JsonObject | null;
  readonly input: Json;
  readonly createdAt: string;
  readonly startedAt: string | null;
}

/** The executions with these ids, in no order. Key by key: `= any` may be planned as a scan while the table is new. */
export async function loadExecutions(db: Queryable, ids: readonly string[]): Promise<ExecutionRow[]> {
  const { rows } = await db.query<ExecutionRow>({
    name: 'load_executions',
    text: `select id, tenant_id as "tenantId", workflow_id as "workflowId", revision, version_id as "versionId", status,
      open_tasks as "openTasks", failed_tasks as "failedTasks", trigger_type as "triggerType", trigger, input,
      created_at as "createdAt", started_at as "startedAt"
      from unnest($1::uuid[]) as wanted(wanted_id)
      cross join lateral (select * from dagwright.workflow_executions where id = wanted_id offset 0) o`,
    values: [ids],
  });
  return rows;
}

/** The stored definition of a revision; null where there is none. */
export async function loadDefinition(
  db: Queryable,
  versionId: string,
): Promise<{ readonly tenantId: string; readonly definition: Json } | null> {
  const { rows } = await db.query<{ tenantId: string; definition: Json }>({
    name: 'load_definition_2',
    text: 'select tenant_id as "tenantId", definition from dagwright.workflow_versions where id = $1',
    values: [versionId],
  });
  return rows[0] ?? null;
}

export interface TaskResultRow {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly reason: SkipReason | null;
  readonly branch: string | null;
  readonly winner: string | null;
  readonly output: Json;
  readonly error: TaskError | null;
  /** Of a fan-out that completed although parts failed. */
  readonly partErrors: Json;
  readonly costUsd: string | null;
  readonly durationMs: number | null;
  readonly attempt: number;
  /** Milliseconds since the epoch; null while it is open. */
  readonly completedAtMs: number | null;
  readonly completedSeq: number | null;
}

/** Columns of a result; `output` as SQL. */
export const resultColumns = (
  output: string,
) => `task_id as "taskId", status, reason, branch, winner, ${output}, error, part_errors as "partErrors", cost_usd as "costUsd",
  duration_ms as "durationMs", attempt_number as attempt, extract(epoch from completed_at)::float8 * 1000 as "completedAtMs",
  completed_seq as "completedSeq"`;
const RESULT_COLUMNS = resultColumns('output');

/** Results of these tasks of an execution (the tasks themselves, not their items). */
export async function loadResults(
  db: Queryable,
  executionId: string,
  taskIds: readonly string[],
): Promise<TaskResultRow[]> {
  const { rows } = await db.query<TaskResultRow>({
    name: 'load_results',
    text: `select ${RESULT_COLUMNS} from dagwright.task_executions
      where workflow_execution_id = $1 and task_id = any($2) and map_index = -1`,
    values: [executionId, taskIds],
  });
  return rows;
}

/** A fan-out's values, written once when it opened; null for named branches. */
export async function loadFanOutValues(
  db: Queryable,
  executionId: string,
  taskId: string,
): Promise<readonly Json[] | null> {
  const { rows } = await db.query<{ values: Json[] | null }>({
    name: 'load_fan_out',
    text: `select items->'values' as values from dagwright.task_executions
      where workflow_execution_id = $1 and task_id = $2 and map_index = -1`,
    values: [executionId, taskId],
  });
  return rows[0]?.values ?? null;
}

/** Outputs of the rounds of a loop that have completed, from `from` on, those from `to` on left out. */
export async function loadRounds(
  db: Queryable,
  executionId: string,
  taskId: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly Json[]> {
  const { rows } = await db.query<{ output: Json }>({
    name: 'load_rounds',
    text: `select output from dagwright.task_executions where workflow_execution_id = $1 and task_id = $2
      and map_index >= $3 and map_index < $4 and status = 'completed' order by map_index`,
    values: [executionId, taskId, from, to],
  });
  return rows.map(({ output }) => output);
}

/** The checkpoint of a task, if it has one. */
export async function loadCheckpoint(
  db: Queryable,
  executionId: string,
  taskId: string,
  mapIndex: number,
): Promise<Json | undefined> {
  const { rows } = await db.query<{ checkpoint: Json }>({
    name: 'load_checkpoint',
    text: `select checkpoint from dagwright.task_executions
      where workflow_execution_id = $1 and task_id = $2 and map_index = $3 and checkpoint is not null`,
    values: [executionId, taskId, mapIndex],
  });
  return rows[0]?.checkpoint;
}

/** Codes of the last `count` tries of a task that failed before this claim; those that a crash took are left out. */
export async function loadFailedCodes(
  db: Queryable,
  executionId: string,
  { taskId, mapIndex, fence }: Pick<Claim, 'taskId' | 'mapIndex' | 'fence'>,
  count: number,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ code: string }>({
    name: 'load_failed_codes',
    text: `select error->>'code' as code from dagwright.task_attempts
      where workflow_execution_id = $1 and task_id = $2 and map_index = $3 and fence < $4 and error->>'code' <> 'worker_lost'
      order by fence desc limit $5`,
    values: [executionId, taskId, mapIndex, fence, count],
  });
  return rows.map(({ code }) => code);
}

/** States of tasks, as the planner reads them; all tasks where `taskIds` is null. */
export async function loadStates(
  db: Queryable,
  executionId: string,
  taskIds: readonly string[] | null,
): Promise<(TaskState & { readonly taskId: string; readonly pendingEdges: number })[]> {
  const { rows } = await db.query<TaskState & { taskId: string; pendingEdges: number }>({
    name: taskIds === null ? 'load_all_states' : 'load_states',
    text: `select task_id as "taskId", status, reason, branch, error->>'code' as "errorCode", waiting_on as "waitingOn",
        pending_edges as "pendingEdges"
      from dagwright.task_executions where workflow_execution_id = $1 and map_index = -1
      ${taskIds === null ? '' : 'and task_id = any($2)'}`,
    values: taskIds === null ? [executionId] : [executionId, taskIds],
  });
  return rows;
}

/** Locks an execution for this transaction, without waiting; null where it does not exist. */
export async function lockExecution(
  db: Queryable,
  executionId: string,
): Promise<{ readonly status: ExecutionStatus; readonly failing: boolean } | Locked | null> {
  const { rows } = await db.query<{ status: ExecutionStatus; failing: boolean }>({
    name: 'lock_execution',
    text: 'select status, failing from dagwright.workflow_executions where id = $1 for no key update skip locked',
    values: [executionId],
  });
  return rows[0] ?? (await lockedOrGone(db, executionId));
}

/**
 * Running tasks that the database believes are of this worker's ids, in these executions or (null) in all. Given up after
 * `limitMs`.
 */
export async function loadOwned(
  db: Queryable,
  workerIds: readonly string[],
  executionIds: readonly string[] | null,
  limitMs: number,
): Promise<{ readonly executionId: string; readonly claim: Claim }[]> {
  const { rows } = await db.query<{ e: string } & Claim>({
    ...within(limitMs),
    text: `select t.workflow_execution_id as e, t.task_id as "taskId", t.map_index as "mapIndex", t.fence,
        t.attempt_number as attempt, t.recoveries, t.waiting_on as phase
      from dagwright.workflow_executions o join dagwright.task_executions t on t.workflow_execution_id = o.id
      where o.status in ('running', 'paused') and ($2::uuid[] is null or o.id = any($2))
        and t.status = 'running' and t.worker_id = any($1)`,
    values: [workerIds, executionIds],
  });
  return rows.map(({ e, ...claim }) => ({ executionId: e, claim }));
}
