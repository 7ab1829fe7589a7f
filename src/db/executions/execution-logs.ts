// Log lines of executions: written in batches by workers, read by users under the tenant's role.
import type pg from 'pg';
import { timeOfId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import type { LogLineLevel } from '../../core/log-lines.ts';
import type { ExecutionStatus } from '../../core/status.ts';
import type { Queryable } from '../connection/connection.ts';

/** A line as a worker writes it. */
export interface LogLine {
  /** Made in the order of the lines; its time is the line's. */
  readonly id: string;
  readonly executionId: string;
  readonly taskId: string | null;
  /** Null: the task itself. */
  readonly mapIndex: number | null;
  readonly attempt: number | null;
  /** ISO 8601. */
  readonly at: string;
  readonly level: LogLineLevel;
  readonly message: string;
  readonly fieldsJson: string | null;
}

/** Writes lines in one statement; those that are there already, or whose execution is gone, are left out. */
export async function writeLogLines(db: Queryable, lines: readonly LogLine[]): Promise<void> {
  await db.query({
    name: 'write_log_lines',
    // Executions are looked up by key one by one, whatever the statistics (functions/).
    text: `insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, attempt_number, at, level, message, fields)
      select l.id, o.tenant_id, l.execution_id, l.task_id, l.map_index, l.attempt, l.at, l.level::dagwright.log_level, l.message, l.fields::jsonb
      from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
        as l(id, execution_id, task_id, map_index, attempt, at, level, message, fields)
      cross join lateral (select tenant_id from dagwright.workflow_executions where id = l.execution_id offset 0) o
      on conflict do nothing`,
    values: [
      lines.map(({ id }) => id),
      lines.map(({ executionId }) => executionId),
      lines.map(({ taskId }) => taskId),
      lines.map(({ mapIndex }) => mapIndex),
      lines.map(({ attempt }) => attempt),
      lines.map(({ at }) => at),
      lines.map(({ level }) => level),
      lines.map(({ message }) => message),
      lines.map(({ fieldsJson }) => fieldsJson),
    ],
  });
}

/**
 * A line may be written so long after it was made, in milliseconds: workers write in batches, and their clocks differ a little. Only
 * what is older is complete; a worker that had lost the database may be later still.
 */
export const LATE_LINE_MS = 5_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** A line as users see it. */
export interface LogLineView {
  readonly id: string;
  readonly at: string;
  readonly level: LogLineLevel;
  readonly taskId: string | null;
  readonly mapIndex: number | null;
  readonly attempt: number | null;
  readonly message: string;
  readonly fields: JsonObject | null;
}

export interface LogLineFilter {
  readonly limit: number;
  /** Goes on after this id. */
  readonly after?: string;
  readonly taskId?: string;
  /** This level and above. */
  readonly level?: LogLineLevel;
}

// Of one execution, in the order of their time; $1 to $6 as parametersOf gives them.
const LINES = `select id, at, level, task_id as "taskId", map_index as "mapIndex", attempt_number as attempt, message, fields
  from dagwright.execution_logs
  where tenant_id = $1 and workflow_execution_id = $2 and ($4::uuid is null or id > $4)
    and ($5::text is null or task_id = $5) and ($6::text is null or level >= $6::dagwright.log_level)
  order by id limit $3`;

const parametersOf = (tenantId: string, executionId: string, filter: LogLineFilter) => [
  tenantId,
  executionId,
  filter.limit,
  filter.after ?? null,
  filter.taskId ?? null,
  filter.level ?? null,
];

/** Lines of an execution in the order of their time. */
export async function findLogLines(
  client: pg.ClientBase,
  tenantId: string,
  executionId: string,
  filter: LogLineFilter,
): Promise<LogLineView[]> {
  const { rows } = await client.query<LogLineView>(LINES, parametersOf(tenantId, executionId, filter));
  return rows;
}

/** Lines, and the id after which the next page begins; null: there were no more when this one was read. */
export interface LogPage {
  readonly lines: readonly LogLineView[];
  readonly nextAfter: string | null;
}

/**
 * A page whose `nextAfter` passes nothing that a worker is still about to write (LATE_LINE_MS): where more lines follow, it ends
 * before the youngest of them, if need be with none and where it began. Null where this tenant has no such execution.
 */
export async function findLogPage(
  client: pg.ClientBase,
  tenantId: string,
  executionId: string,
  filter: LogLineFilter,
): Promise<LogPage | null> {
  // now() is when the transaction began, before any line was looked for.
  const { rows } = await client.query<LogLineView & { horizonMs: number | null; id: string | null }>(
    `select case when o.completed_at < now() - $7 * interval '1 millisecond' then null
           else (extract(epoch from now()) * 1000)::float8 - $7 end as "horizonMs", l.*
       from dagwright.workflow_executions o left join lateral (${LINES}) l on true
       where o.tenant_id = $1 and o.id = $2 order by l.id`,
    [...parametersOf(tenantId, executionId, { ...filter, limit: filter.limit + 1 }), LATE_LINE_MS],
  );
  if (rows[0] === undefined) return null;
  const { horizonMs } = rows[0];
  const lines = rows.filter(({ id }) => id !== null).map(({ horizonMs: _, ...line }) => line);
  return endPage(lines, filter, horizonMs);
}

function endPage(
  found: readonly LogLineView[],
  { limit, after }: LogLineFilter,
  horizonMs: number | null,
): LogPage {
  if (found.length <= limit) return { lines: found, nextAfter: null };
  const lines = found.slice(0, limit).filter(({ id }) => horizonMs === null || timeOfId(id) < horizonMs);
  return { lines, nextAfter: lines.at(-1)?.id ?? after ?? BEFORE_ALL };
}

/** What a reader of lines needs to know of their execution. */
export interface LoggedExecution {
  readonly status: ExecutionStatus;
  /** Milliseconds since its end; null while it has not ended. */
  readonly endedMsAgo: number | null;
  /** Whether it has the task that was asked for. */
  readonly hasTask: boolean;
}

/** The execution, or null where this tenant has none with that id. */
export async function findLoggedExecution(
  client: pg.ClientBase,
  tenantId: string,
  executionId: string,
  taskId?: string,
): Promise<LoggedExecution | null> {
  const { rows } = await client.query<LoggedExecution>(
    `select o.status, (extract(epoch from clock_timestamp() - o.completed_at) * 1000)::float8 as "endedMsAgo",
         $3::text is null or exists (select from dagwright.task_executions t
           where t.workflow_execution_id = o.id and t.task_id = $3) as "hasTask"
       from dagwright.workflow_executions o where o.tenant_id = $1 and o.id = $2`,
    [tenantId, executionId, taskId ?? null],
  );
  return rows[0] ?? null;
}
