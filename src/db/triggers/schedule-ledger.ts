// What a scheduler asks and writes: the fronts of functions/triggers/schedules.sql. All of it as the engine, by the database's clock.

import type { Json } from '../../core/json.ts';
import type { CatchupPolicy, OverlapPolicy, ScheduleStatus, TickStatus } from '../../core/schedule/words.ts';
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';

/** A pass goes on without an answer after this long. */
const LIMIT_MS = 20_000;

/** A schedule as a decision needs it. Instants are ISO strings. */
export interface ScheduleSnapshot {
  readonly id: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly name: string;
  readonly cronExpression: string;
  readonly timezone: string;
  /** Undefined: large, {@link readScheduleInput} has it. */
  readonly input?: Json;
  readonly overlapPolicy: OverlapPolicy;
  readonly catchupPolicy: CatchupPolicy;
  readonly catchupWindowSeconds: number;
  readonly jitterSeconds: number;
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly status: ScheduleStatus;
  readonly nextRunAt: string | null;
  readonly dueAt: string | null;
  readonly fence: number;
  readonly isRunning: boolean;
  readonly hasBuffered: boolean;
  /** The revision that a start would take now; null: there is no such workflow. */
  readonly versionId: string | null;
  readonly revision: number | null;
  /** The database's clock at the read. */
  readonly now: string;
}

/** A decision about one schedule, made under `fence`. */
export interface AppliedDecision {
  readonly id: string;
  readonly fence: number;
  readonly revision: number | null;
  /** nextRunAt and dueAt are set. */
  readonly moves: boolean;
  readonly nextRunAt: string | null;
  readonly dueAt: string | null;
  /** Id of the execution of a buffered tick, if one fires now; `refusal`: why it may not. */
  readonly promote: string | null;
  readonly refusal: string | null;
  readonly ticks: readonly {
    readonly at: string;
    readonly status: TickStatus;
    readonly reason: string | null;
    readonly execution: string | null;
  }[];
}

/** Ids of schedules that are due, but for `except`, the longest due first. */
export async function findDueSchedules(
  db: Queryable,
  most: number,
  except: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>({
    ...within(LIMIT_MS),
    name: 'due_schedules',
    text: 'select id from dagwright.schedules where due_at <= now() and id <> all($2) order by due_at limit $1',
    values: [most, except],
  });
  return rows.map(({ id }) => id);
}

/** A place in the list of open ticks. */
export interface TickPlace {
  readonly scheduleId: string;
  readonly at: string;
}
export const FIRST_TICK: TickPlace = { scheduleId: '00000000-0000-0000-0000-000000000000', at: '-infinity' };

/** Ids of schedules of which an execution has ended, in a page of open ticks; and where the next page begins. */
export async function findEndedTicks(
  db: Queryable,
  after: TickPlace,
  most: number,
): Promise<{ readonly ids: readonly string[]; readonly next: TickPlace }> {
  const { rows } = await db.query<{ ids: string[]; scheduleId: string | null; at: string | null }>({
    ...within(LIMIT_MS),
    name: 'ended_ticks_v1',
    text: `select schedule_ids as ids, last_schedule as "scheduleId", last_at::text as at from dagwright.ended_ticks_v1($1, $2, $3)`,
    values: [after.scheduleId, after.at, most],
  });
  const { ids, scheduleId, at } = rows[0]!;
  return { ids, next: scheduleId === null ? FIRST_TICK : { scheduleId, at: at! } };
}

/** What decisions about these schedules need. */
export async function readSchedules(db: Queryable, ids: readonly string[]): Promise<ScheduleSnapshot[]> {
  const open = `exists (select from dagwright.schedule_ticks t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
      and o.status in ('pending', 'running', 'paused') where t.schedule_id = s.id and t.is_open and t.status = 'fired')`;
  const { rows } = await db.query<ScheduleSnapshot & { isSmall: boolean }>({
    ...within(LIMIT_MS),
    name: 'read_schedules',
    text: `select s.id, s.tenant_id as "tenantId", s.workflow_id as "workflowId", s.name, s.cron_expression as "cronExpression", s.timezone,
        pg_column_compression(s.input) is null and pg_column_size(s.input) < 4000 as "isSmall",
        case when pg_column_compression(s.input) is null and pg_column_size(s.input) < 4000 then s.input end as input, s.overlap_policy as "overlapPolicy", s.catchup_policy as "catchupPolicy", s.catchup_window_seconds as "catchupWindowSeconds",
        s.jitter_seconds as "jitterSeconds", s.start_at as "startAt", s.end_at as "endAt", s.status, s.next_run_at as "nextRunAt",
        s.due_at as "dueAt", s.fence, v.id as "versionId", v.revision, clock_timestamp() as now,
        s.overlap_policy in ('skip', 'buffer_one') and ${open} as "isRunning",
        exists (select from dagwright.schedule_ticks t where t.schedule_id = s.id and t.is_open and t.status = 'buffered') as "hasBuffered"
      from unnest($1::uuid[]) as wanted(id) join dagwright.schedules s on s.id = wanted.id
      left join dagwright.workflow_definitions d on d.tenant_id = s.tenant_id and d.workflow_id = s.workflow_id
      left join dagwright.workflow_versions v on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id
        and v.revision = coalesce(d.pinned_revision, d.latest_revision)`,
    values: [ids],
  });
  return rows.map(({ isSmall, input, ...rest }) => (isSmall ? { ...rest, input: input! } : rest));
}

/** A large input, so that many of them are not in memory at once; null where the schedule is gone. */
export async function readScheduleInput(db: Queryable, id: string): Promise<Json> {
  const { rows } = await db.query<{ input: Json }>({
    ...within(LIMIT_MS),
    text: 'select input from dagwright.schedules where id = $1',
    values: [id],
  });
  return rows[0]?.input ?? null;
}

/** Records and starts, in one commit. `applied`: how many schedules had not been decided or changed by others meanwhile. */
export async function applyTicks(
  db: Queryable,
  decisions: readonly AppliedDecision[],
): Promise<{ readonly applied: number; readonly fired: number }> {
  const { rows } = await db.query<{ done: { applied: number; fired: number } }>({
    ...within(LIMIT_MS),
    name: 'apply_ticks_v1',
    text: 'select dagwright.apply_ticks_v1($1) as done',
    values: [JSON.stringify(decisions)],
  });
  return rows[0]!.done;
}

/** Of decisions that were sent, those that were not applied: the schedule, or an execution that it cancels, is locked by somebody. */
export async function findUnapplied(
  db: Queryable,
  decisions: readonly Pick<AppliedDecision, 'id' | 'fence'>[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>({
    ...within(LIMIT_MS),
    text: `select s.id from unnest($1::uuid[], $2::bigint[]) as d(id, fence) join dagwright.schedules s on s.id = d.id and s.fence = d.fence`,
    values: [decisions.map(({ id }) => id), decisions.map(({ fence }) => fence)],
  });
  return rows.map(({ id }) => id);
}

/** Puts off a schedule that cannot be decided or applied; true where this call did. Waits for nobody who has it locked. */
export async function postponeSchedule(
  db: Queryable,
  { id, fence }: { readonly id: string; readonly fence: number },
  seconds: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update dagwright.schedules set due_at = clock_timestamp() + $3 * interval '1 second', fence = fence + 1
     where id = (select id from dagwright.schedules where id = $1 for no key update skip locked) and fence = $2 and due_at is not null`,
    [id, fence, seconds],
  );
  return rowCount === 1;
}
