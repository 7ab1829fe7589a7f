// Schedules as their owners see them. `client` is in a transaction of the tenant's role; every change is of a schedule that the
// caller has locked, and raises its fence, so that no scheduler acts on what it read before (functions/triggers/schedules.sql).
import type pg from 'pg';
import type { DefinitionStatus } from '../../core/definition/model.ts';
import type { Json } from '../../core/json.ts';
import type { ScheduleSettings } from '../../core/schedule/settings.ts';
import type { ScheduleStatus } from '../../core/schedule/words.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import { savepoint } from '../connection/transaction.ts';

/** One schedule as the API shows it. Instants are ISO strings. */
export interface ScheduleView extends ScheduleSettings {
  readonly id: string;
  readonly status: ScheduleStatus;
  /** Only that of an active one starts; null: there is no such workflow. */
  readonly workflowStatus: DefinitionStatus | null;
  readonly pausedReason: string | null;
  /** The next nominal time; null: it is paused, or none comes. */
  readonly nextRunAt: string | null;
  /** The latest nominal time that was decided, and the last execution that one started. */
  readonly lastRunAt: string | null;
  readonly lastExecutionId: string | null;
  /** Kept in step with `triggers` of its workflow's definition. */
  readonly fromDefinition: boolean;
  /** When it left them; null: it is there. */
  readonly removedAt: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const COLUMNS = `id, workflow_id as "workflowId", name, cron_expression as "cronExpression", timezone, input, priority,
  overlap_policy as "overlapPolicy", catchup_policy as "catchupPolicy", catchup_window_seconds as "catchupWindowSeconds",
  jitter_seconds as "jitterSeconds", start_at as "startAt", end_at as "endAt", pause_on_failure as "pauseOnFailure", status,
  (select d.status from dagwright.workflow_definitions d where d.tenant_id = schedules.tenant_id
    and d.workflow_id = schedules.workflow_id) as "workflowStatus",
  paused_reason as "pausedReason", next_run_at as "nextRunAt", last_run_at as "lastRunAt", last_execution_id as "lastExecutionId",
  from_definition as "fromDefinition", removed_at as "removedAt", created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt"`;

/** The next nominal time, and when the scheduler looks. */
export interface NextRun {
  readonly nextRunAt: string | null;
  readonly dueAt: string | null;
}

/** Null where the workflow has another schedule of this name. */
export async function insertSchedule(
  client: pg.ClientBase,
  tenantId: string,
  settings: ScheduleSettings,
  more: NextRun & { readonly id: string; readonly createdBy: string; readonly fromDefinition: boolean },
): Promise<ScheduleView | null> {
  const { rows } = await client.query<ScheduleView>(
    `insert into dagwright.schedules (id, tenant_id, name, cron_expression, timezone, input, priority, overlap_policy, catchup_policy,
       catchup_window_seconds, jitter_seconds, start_at, end_at, pause_on_failure, next_run_at, due_at, workflow_id, created_by, from_definition)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
     on conflict (tenant_id, workflow_id, name) do nothing returning ${COLUMNS}`,
    [
      ...valuesOf(more.id, tenantId, settings),
      more.nextRunAt,
      more.dueAt,
      settings.workflowId,
      more.createdBy,
      more.fromDefinition,
    ],
  );
  return rows[0] ?? null;
}

/** Its workflow stays. Null where the workflow has another schedule of this name: then nothing has changed. */
export async function updateSettings(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  settings: ScheduleSettings,
  { nextRunAt, dueAt }: NextRun,
): Promise<ScheduleView | null> {
  try {
    const { rows } = await savepoint(client, () =>
      client.query<ScheduleView>(
        `update dagwright.schedules set name = $3, cron_expression = $4, timezone = $5, input = $6, priority = $7, overlap_policy = $8,
           catchup_policy = $9, catchup_window_seconds = $10, jitter_seconds = $11, start_at = $12, end_at = $13, pause_on_failure = $14,
           next_run_at = $15, due_at = $16, fence = fence + 1, updated_at = clock_timestamp()
         where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
        [...valuesOf(id, tenantId, settings), nextRunAt, dueAt],
      ),
    );
    return rows[0]!;
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    return null;
  }
}

/** Paused, with nothing due. */
export async function setPaused(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  reason: string,
): Promise<ScheduleView> {
  const { rows } = await client.query<ScheduleView>(
    `update dagwright.schedules set status = 'paused', paused_reason = $3, next_run_at = null, due_at = null, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
    [id, tenantId, reason],
  );
  return rows[0]!;
}

export async function setActive(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  { nextRunAt, dueAt }: NextRun,
): Promise<ScheduleView> {
  const { rows } = await client.query<ScheduleView>(
    `update dagwright.schedules set status = 'active', paused_reason = null, next_run_at = $3, due_at = $4, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
    [id, tenantId, nextRunAt, dueAt],
  );
  return rows[0]!;
}

/** Taken away from its definition, with nothing due; its status stays. */
export async function setRemoved(client: pg.ClientBase, tenantId: string, id: string): Promise<void> {
  await client.query(
    `update dagwright.schedules set removed_at = clock_timestamp(), next_run_at = null, due_at = null, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2`,
    [id, tenantId],
  );
}

export async function setReturned(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  { nextRunAt, dueAt }: NextRun,
): Promise<void> {
  await client.query(
    `update dagwright.schedules set removed_at = null, next_run_at = $3, due_at = $4, fence = fence + 1, updated_at = clock_timestamp()
     where id = $1 and tenant_id = $2 and removed_at is not null`,
    [id, tenantId, nextRunAt, dueAt],
  );
}

/** Records nominal times (ISO) as missed; with `givesUp` also the one that is buffered. */
export async function missTicks(
  client: pg.ClientBase,
  id: string,
  {
    times,
    reason,
    givesUp,
  }: { readonly times: readonly string[]; readonly reason: string; readonly givesUp: boolean },
): Promise<void> {
  await client.query('select dagwright.miss_ticks_v1($1, $2, $3, $4)', [id, times, reason, givesUp]);
}

/** Deletes it with its ticks, also one that was removed; executions stay. False where there is none. */
export async function deleteSchedule(client: pg.ClientBase, tenantId: string, id: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'delete from dagwright.schedules where id = $1 and tenant_id = $2',
    [id, tenantId],
  );
  return rowCount === 1;
}

/** Also one that was removed. */
export async function findSchedule(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<ScheduleView | null> {
  const { rows } = await client.query<ScheduleView>(
    `select ${COLUMNS} from dagwright.schedules where id = $1 and tenant_id = $2`,
    [id, tenantId],
  );
  return rows[0] ?? null;
}

/** One that may be acted upon, locked until the transaction ends: none that was removed. */
export async function lockSchedule(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<ScheduleView | null> {
  const { rows } = await client.query<ScheduleView>(
    `select ${COLUMNS} from dagwright.schedules where id = $1 and tenant_id = $2 and removed_at is null for no key update`,
    [id, tenantId],
  );
  return rows[0] ?? null;
}

/** Those that are there, newest first, fewer where they are large; `before` is the id to go on after. */
export async function findSchedules(
  client: pg.ClientBase,
  tenantId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly workflowId?: string | undefined;
    readonly status?: ScheduleStatus | undefined;
  },
): Promise<BoundedPage<ScheduleView>> {
  return await findBoundedPage<ScheduleView>(
    client,
    `select ${COLUMNS} from dagwright.schedules where tenant_id = $1 and removed_at is null and ($3::uuid is null or id < $3)
       and ($4::text is null or workflow_id = $4) and ($5::dagwright.schedule_status is null or status = $5) order by id desc limit $2`,
    {
      values: [tenantId, filter.limit + 1, filter.before, filter.workflowId ?? null, filter.status ?? null],
      limit: filter.limit,
      json: ['input'],
    },
  );
}

/** Deletes a removed one of this name, and waits for a transaction that brings it back. */
export async function deleteRemovedSchedule(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, name }: Pick<ScheduleSettings, 'workflowId' | 'name'>,
): Promise<void> {
  await client.query(
    'delete from dagwright.schedules where tenant_id = $1 and workflow_id = $2 and name = $3 and removed_at is not null',
    [tenantId, workflowId, name],
  );
}

/** The database's clock, in milliseconds since the epoch. */
export async function nowMs(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ now: string }>('select clock_timestamp() as now');
  return Date.parse(rows[0]!.now);
}

function valuesOf(id: string, tenantId: string, settings: ScheduleSettings): (Json | Date)[] {
  return [
    id,
    tenantId,
    settings.name,
    settings.cronExpression,
    settings.timezone,
    JSON.stringify(settings.input),
    settings.priority,
    settings.overlapPolicy,
    settings.catchupPolicy,
    settings.catchupWindowSeconds,
    settings.jitterSeconds,
    settings.startAt,
    settings.endAt,
    settings.pauseOnFailure,
  ];
}

function isNameTaken(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === '23505' && constraint === 'schedules_name';
}
