// Schedules as their owners see them. `client` is in a transaction of the tenant's role; every change takes the schedule's lock and
// raises its fence, so that no scheduler acts on what it read before (functions/triggers/schedules.sql).
import type pg from 'pg';
import { newId } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import { type ScheduleSettings, timingOf } from '../../core/schedule/settings.ts';
import { dueTime, nextNominal, type Timing } from '../../core/schedule/timing.ts';
import type { ScheduleStatus } from '../../core/schedule/words.ts';

/** One schedule as the API shows it. Instants are ISO strings. */
export interface ScheduleView extends ScheduleSettings {
  readonly id: string;
  readonly status: ScheduleStatus;
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

/** `name_taken`: the workflow has another schedule of this name. */
export type Saved =
  | { readonly ok: true; readonly schedule: ScheduleView }
  | { readonly ok: false; readonly problem: 'not_found' | 'name_taken' };

const COLUMNS = `id, workflow_id as "workflowId", name, cron_expression as "cronExpression", timezone, input, priority,
  overlap_policy as "overlapPolicy", catchup_policy as "catchupPolicy", catchup_window_seconds as "catchupWindowSeconds",
  jitter_seconds as "jitterSeconds", start_at as "startAt", end_at as "endAt", pause_on_failure as "pauseOnFailure", status,
  paused_reason as "pausedReason", next_run_at as "nextRunAt", last_run_at as "lastRunAt", last_execution_id as "lastExecutionId",
  from_definition as "fromDefinition", removed_at as "removedAt", created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt"`;

/** Overdue nominal times that are recorded as missed when a change makes them never fire. */
const MAX_MISSED = 1_000;

/**
 * Makes an active schedule; its first tick is the first nominal time from now on. The settings have been checked. One made by hand
 * takes the place of a removed one.
 */
export async function createSchedule(
  client: pg.ClientBase,
  tenantId: string,
  settings: ScheduleSettings,
  { createdBy, fromDefinition = false }: { readonly createdBy: string; readonly fromDefinition?: boolean },
): Promise<Saved> {
  if (!fromDefinition) await dropRemoved(client, tenantId, settings);
  const id = newId();
  const { nextRunAt, dueAt } = nextOf(timingOf(id, settings), await nowMs(client));
  const { rows } = await client.query<ScheduleView>(
    `insert into dagwright.schedules (id, tenant_id, name, cron_expression, timezone, input, priority, overlap_policy, catchup_policy,
       catchup_window_seconds, jitter_seconds, start_at, end_at, pause_on_failure, next_run_at, due_at, workflow_id, created_by, from_definition)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
     on conflict (tenant_id, workflow_id, name) do nothing returning ${COLUMNS}`,
    [...valuesOf(id, tenantId, settings), nextRunAt, dueAt, settings.workflowId, createdBy, fromDefinition],
  );
  return rows[0] === undefined ? { ok: false, problem: 'name_taken' } : { ok: true, schedule: rows[0] };
}

/**
 * Changes a schedule that is there; its workflow stays. Another expression, zone, startAt or endAt counts from now on: what was due
 * under the old one is told as missed.
 */
export async function updateSchedule(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  settings: ScheduleSettings,
): Promise<Saved> {
  const before = await lockSchedule(client, tenantId, id);
  if (before === null) return { ok: false, problem: 'not_found' };
  if (settings.name !== before.name) await dropRemoved(client, tenantId, { ...before, name: settings.name });
  const timing = timingOf(id, settings);
  const isRetimed = !isSameTiming(before, settings);
  let { nextRunAt } = before;
  if (before.status === 'active' && isRetimed) {
    const now = await nowMs(client);
    await missOverdue(client, before, { now, reason: 'the schedule was changed before it fired' });
    nextRunAt = nextOf(timing, now).nextRunAt;
  }
  const dueAt = nextRunAt === null ? null : new Date(dueTime(timing, Date.parse(nextRunAt))).toISOString();
  try {
    const { rows } = await client.query<ScheduleView>(
      `update dagwright.schedules set name = $3, cron_expression = $4, timezone = $5, input = $6, priority = $7, overlap_policy = $8,
         catchup_policy = $9, catchup_window_seconds = $10, jitter_seconds = $11, start_at = $12, end_at = $13, pause_on_failure = $14,
         next_run_at = $15, due_at = $16, fence = fence + 1, updated_at = clock_timestamp()
       where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
      [...valuesOf(id, tenantId, settings), nextRunAt, dueAt],
    );
    return { ok: true, schedule: rows[0]! };
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    return { ok: false, problem: 'name_taken' };
  }
}

/** Nothing fires until it is resumed, and the times in between get no rows. Null where there is none. */
export async function pauseSchedule(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
  reason: string,
): Promise<ScheduleView | null> {
  const before = await lockSchedule(client, tenantId, id);
  if (before === null || before.status === 'paused') return before;
  await missOverdue(client, before, {
    now: await nowMs(client),
    reason: 'the schedule was paused',
    givesUp: true,
  });
  const { rows } = await client.query<ScheduleView>(
    `update dagwright.schedules set status = 'paused', paused_reason = $3, next_run_at = null, due_at = null, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
    [id, tenantId, reason],
  );
  return rows[0]!;
}

/** Goes on with the first nominal time from now on. Null where there is none. */
export async function resumeSchedule(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<ScheduleView | null> {
  const before = await lockSchedule(client, tenantId, id);
  if (before === null || before.status === 'active') return before;
  const { nextRunAt, dueAt } = nextOf(timingOf(id, before), await nowMs(client));
  const { rows } = await client.query<ScheduleView>(
    `update dagwright.schedules set status = 'active', paused_reason = null, next_run_at = $3, due_at = $4, fence = fence + 1,
       updated_at = clock_timestamp() where id = $1 and tenant_id = $2 returning ${COLUMNS}`,
    [id, tenantId, nextRunAt, dueAt],
  );
  return rows[0]!;
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

/** Those that are there, newest first; `before` is the id to go on after. */
export async function listSchedules(
  client: pg.ClientBase,
  tenantId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly workflowId?: string | undefined;
    readonly status?: ScheduleStatus | undefined;
    readonly fromDefinition?: boolean | undefined;
  },
): Promise<ScheduleView[]> {
  const { rows } = await client.query<ScheduleView>(
    `select ${COLUMNS} from dagwright.schedules where tenant_id = $1 and removed_at is null and ($3::uuid is null or id < $3)
       and ($4::text is null or workflow_id = $4) and ($5::dagwright.schedule_status is null or status = $5)
       and ($6::boolean is null or from_definition = $6) order by id desc limit $2`,
    [
      tenantId,
      filter.limit,
      filter.before,
      filter.workflowId ?? null,
      filter.status ?? null,
      filter.fromDefinition ?? null,
    ],
  );
  return rows;
}

/** The database's clock, in milliseconds since the epoch. */
export async function nowMs(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ now: string }>('select clock_timestamp() as now');
  return Date.parse(rows[0]!.now);
}

export const NEVER = { nextRunAt: null, dueAt: null } as const;

/** The first nominal time from `now` (milliseconds) on, and when the scheduler looks. */
export function nextOf(timing: Timing, now: number): { nextRunAt: string | null; dueAt: string | null } {
  const next = nextNominal(timing, now);
  if (next === null) return NEVER;
  return {
    nextRunAt: new Date(next).toISOString(),
    dueAt: new Date(dueTime(timing, next)).toISOString(),
  };
}

// Whoever makes a schedule by hand wants the name more than a definition that has given it up. One that returns meanwhile stays.
async function dropRemoved(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, name }: Pick<ScheduleSettings, 'workflowId' | 'name'>,
): Promise<void> {
  await client.query(
    'delete from dagwright.schedules where tenant_id = $1 and workflow_id = $2 and name = $3 and removed_at is not null',
    [tenantId, workflowId, name],
  );
}

/** Nothing vanishes: what should have fired before the change is told, and what is buffered if it is given up. */
export async function missOverdue(
  client: pg.ClientBase,
  schedule: ScheduleView,
  {
    now,
    reason,
    givesUp = false,
  }: { readonly now: number; readonly reason: string; readonly givesUp?: boolean },
): Promise<void> {
  const times: string[] = [];
  if (schedule.nextRunAt !== null) {
    const timing = timingOf(schedule.id, schedule);
    let next: number | null = Date.parse(schedule.nextRunAt);
    while (next !== null && next <= now && times.length < MAX_MISSED) {
      times.push(new Date(next).toISOString());
      next = nextNominal(timing, next);
    }
  }
  await client.query('select dagwright.miss_ticks_v1($1, $2, $3, $4)', [schedule.id, times, reason, givesUp]);
}

function isSameTiming(before: ScheduleView, after: ScheduleSettings): boolean {
  const same = (a: string | null, b: string | null) =>
    a === b || (a !== null && b !== null && Date.parse(a) === Date.parse(b));
  return (
    before.cronExpression === after.cronExpression &&
    before.timezone === after.timezone &&
    same(before.startAt, after.startAt) &&
    same(before.endAt, after.endAt)
  );
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
