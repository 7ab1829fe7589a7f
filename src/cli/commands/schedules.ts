// dagwright schedules: by the same functions as the routes of the HTTP API.
import type pg from 'pg';
import { previewTicks } from '../../core/schedule/preview.ts';
import { checkSettings, type ScheduleFields, timingOf } from '../../core/schedule/settings.ts';
import type { CatchupPolicy, OverlapPolicy, ScheduleStatus } from '../../core/schedule/words.ts';
import type { Acting } from '../../db/connection/connection.ts';
import {
  deleteSchedule,
  findSchedule,
  listSchedules,
  nowMs,
  type ScheduleView,
} from '../../db/resources/schedules.ts';
import {
  addSchedule,
  backfill,
  changeSchedule,
  type Outcome,
  pause,
  resume,
  runNow,
} from '../../resources/schedules.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { readJsonArgument } from '../input/json-argument.ts';
import { requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { Refusal, refuse } from '../refusal.ts';

export interface ScheduleOptions {
  readonly timezone?: string;
  readonly input?: string;
  readonly priority?: number;
  readonly overlap?: OverlapPolicy;
  readonly catchup?: CatchupPolicy;
  readonly catchupWindow?: number;
  readonly jitter?: number;
  /** `none` takes it away. */
  readonly startAt?: string;
  readonly endAt?: string;
  readonly pauseOnFailure?: 'yes' | 'no';
}

export async function createOneSchedule(
  context: CommandContext,
  options: ScheduleOptions,
  workflowId: string,
  name: string,
  cronExpression: string,
): Promise<number> {
  const fields = { ...(await readOptions(options)), workflowId, name, cronExpression };
  return await act(context, async (client, acting) => {
    const schedule = unwrap(await addSchedule(client, acting, fields));
    return () => print(context, schedule);
  });
}

export async function updateOneSchedule(
  context: CommandContext,
  options: ScheduleOptions & { readonly name?: string; readonly cron?: string },
  id: string,
): Promise<number> {
  const scheduleId = requireScheduleId(id);
  const change = { ...(await readOptions(options)), name: options.name, cronExpression: options.cron };
  if (Object.values(change).every((value) => value === undefined))
    throw refuse('usage', 'nothing to change', 'dagwright schedules update --help names the options');
  return await act(context, async (client, acting) => {
    const schedule = unwrap(await changeSchedule(client, acting, scheduleId, change), id);
    return () => print(context, schedule);
  });
}

export async function listAllSchedules(
  context: CommandContext,
  {
    limit,
    cursor,
    workflow: workflowId,
    status,
  }: {
    readonly limit: number;
    readonly cursor?: string;
    readonly workflow?: string;
    readonly status?: ScheduleStatus;
  },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await act(context, async (client, { tenantId }) => {
    const found = await listSchedules(client, tenantId, { limit: limit + 1, before, workflowId, status });
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.id : null;
    return () => {
      context.printJson({ items, nextCursor });
      const header = ['id', 'workflow', 'name', 'cron', 'zone', 'status', 'next'].map((cell) =>
        context.paint('bold', cell),
      );
      const rows = items.map((schedule) => [
        schedule.id,
        schedule.workflowId,
        schedule.name,
        schedule.cronExpression,
        schedule.timezone,
        schedule.status,
        schedule.nextRunAt ?? '',
      ]);
      context.say(items.length === 0 ? `no schedules in tenant ${context.tenant}` : table([header, ...rows]));
      if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    };
  });
}

export async function showSchedule(context: CommandContext, _options: object, id: string): Promise<number> {
  const scheduleId = requireScheduleId(id);
  return await act(context, async (client, { tenantId }) => {
    const schedule = await findSchedule(client, tenantId, scheduleId);
    if (schedule === null) throw unknownSchedule(id);
    return () => print(context, schedule);
  });
}

export async function deleteOneSchedule(
  context: CommandContext,
  _options: object,
  id: string,
): Promise<number> {
  const scheduleId = requireScheduleId(id);
  return await act(context, async (client, { tenantId }) => {
    if (!(await deleteSchedule(client, tenantId, scheduleId))) throw unknownSchedule(id);
    return () => {
      context.printJson({ id, deleted: true });
      context.say(`${id} is deleted`);
    };
  });
}

export async function pauseOneSchedule(
  context: CommandContext,
  { reason }: { readonly reason?: string },
  id: string,
): Promise<number> {
  return await change(context, id, (client, acting) =>
    pause(client, acting, id, reason ?? `paused by ${CLI_ACTOR.actor}`),
  );
}

export async function resumeOneSchedule(
  context: CommandContext,
  _options: object,
  id: string,
): Promise<number> {
  return await change(context, id, (client, acting) => resume(client, acting, id));
}

export async function previewOne(
  context: CommandContext,
  { count, timezone }: { readonly count: number; readonly timezone?: string },
  target: string,
): Promise<number> {
  const isExpression = /\s/.test(target) || target.startsWith('@');
  if (!isExpression && timezone !== undefined)
    throw refuse('usage', '--timezone goes with an expression: a schedule has its own');
  const scheduleId = isExpression ? null : requireScheduleId(target);
  const checked = isExpression
    ? checkSettings({ workflowId: '-', name: '-', cronExpression: target, timezone })
    : null;
  if (checked?.ok === false) throw new Refusal(checked.problems);
  return await act(context, async (client, { tenantId }) => {
    const settings = checked?.value ?? (await findSchedule(client, tenantId, scheduleId!));
    if (settings === null) throw unknownSchedule(target);
    const items = previewTicks(timingOf(scheduleId ?? '', settings), await nowMs(client), count);
    return () => {
      context.printJson({ items });
      const rows = items.map(({ scheduledAt, localTime }) => [localTime, scheduledAt]);
      const header = [settings.timezone, 'UTC'].map((cell) => context.paint('bold', cell));
      context.say(items.length === 0 ? 'none comes' : table([header, ...rows]));
    };
  });
}

export async function runOne(context: CommandContext, _options: object, id: string): Promise<number> {
  const scheduleId = requireScheduleId(id);
  return await act(context, async (client, acting) => {
    const execution = unwrap(await runNow(client, acting, scheduleId), id);
    return () => {
      context.printJson({ id: execution.id, status: 'pending' });
      context.say(`execution ${execution.id} is pending`);
    };
  });
}

export async function backfillOne(
  context: CommandContext,
  range: { readonly from: string; readonly to: string },
  id: string,
): Promise<number> {
  const scheduleId = requireScheduleId(id);
  return await act(context, async (client, acting) => {
    const done = unwrap(await backfill(client, acting, scheduleId, range), id);
    return () => {
      context.printJson(done);
      const rows = done.executions.map(({ scheduledAt, executionId }) => [scheduledAt, executionId ?? '']);
      if (rows.length > 0)
        context.say(table([['scheduled', 'execution'].map((cell) => context.paint('bold', cell)), ...rows]));
      context.say(`${done.started} started, ${done.skipped} had been decided before`);
    };
  });
}

export function requireScheduleId(id: string): string {
  return requireUuid(id, '<id>') ?? id;
}

export function unknownSchedule(id: string): Refusal {
  return refuse('not_found', `there is no schedule ${id}`, 'dagwright schedules list');
}

async function change(
  context: CommandContext,
  id: string,
  make: (client: pg.ClientBase, acting: Acting) => Promise<Outcome<ScheduleView>>,
): Promise<number> {
  requireScheduleId(id);
  return await act(context, async (client, acting) => {
    const schedule = unwrap(await make(client, acting), id);
    return () => print(context, schedule);
  });
}

// What is printed is committed: `work` answers with what then says so.
async function act(
  context: CommandContext,
  work: (client: pg.ClientBase, acting: Acting) => Promise<() => void>,
): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const acting = { tenantId, ...CLI_ACTOR };
    const report = await database.withTenant(acting, (client) => work(client, acting));
    report();
    return 0;
  });
}

async function readOptions(options: ScheduleOptions): Promise<Partial<ScheduleFields>> {
  const instant = (text: string | undefined) => (text === 'none' ? null : text);
  return {
    timezone: options.timezone,
    input: options.input === undefined ? undefined : await readJsonArgument(options.input, '--input'),
    priority: options.priority,
    overlapPolicy: options.overlap,
    catchupPolicy: options.catchup,
    catchupWindowSeconds: options.catchupWindow,
    jitterSeconds: options.jitter,
    startAt: instant(options.startAt),
    endAt: instant(options.endAt),
    pauseOnFailure: options.pauseOnFailure === undefined ? undefined : options.pauseOnFailure === 'yes',
  };
}

function unwrap<Value>(outcome: Outcome<Value>, id = ''): Value {
  if (outcome.ok) return outcome.value;
  throw outcome.code === 'not_found' ? unknownSchedule(id) : new Refusal(outcome.problems);
}

function print(context: CommandContext, schedule: ScheduleView): void {
  context.printJson(schedule);
  const rows = Object.entries(schedule)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  context.say(table(rows));
}
