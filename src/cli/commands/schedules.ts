// dagwright schedules: by the same functions as the routes of the HTTP API. What is printed is committed. Their times:
// schedule-ticks.ts.
import type pg from 'pg';
import type { ScheduleFields } from '../../core/schedule/settings.ts';
import type { CatchupPolicy, OverlapPolicy, ScheduleStatus } from '../../core/schedule/words.ts';
import type { Acting } from '../../db/connection/connection.ts';
import type { Outcome } from '../../resources/outcome.ts';
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleView,
  showSchedule,
} from '../../resources/schedules/schedules.ts';
import type { CommandContext } from '../context.ts';
import { readJsonArgument } from '../input/json-argument.ts';
import { printedPage, requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../refusal.ts';

export const SCHEDULE_WORDS = { hints: { not_found: 'dagwright schedules list' } };

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
  return await act(context, (client, acting) => createSchedule(client, acting, fields));
}

export async function updateOneSchedule(
  context: CommandContext,
  options: ScheduleOptions & { readonly name?: string; readonly cron?: string },
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  const change = { ...(await readOptions(options)), name: options.name, cronExpression: options.cron };
  if (Object.values(change).every((value) => value === undefined))
    throw refuse('usage', 'nothing to change', 'dagwright schedules update --help names the options');
  return await act(context, (client, acting) => changeSchedule(client, acting, { id, change }));
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
  const found = await context.withTenant((client, acting) =>
    listSchedules(client, acting, { limit, before, workflowId, status }),
  );
  const page = printedPage(found, ({ id }) => id);
  context.printJson(page);
  const header = ['id', 'workflow', 'name', 'cron', 'zone', 'status', 'next'].map((cell) =>
    context.paint('bold', cell),
  );
  const rows = page.items.map((schedule) => [
    schedule.id,
    schedule.workflowId,
    schedule.name,
    schedule.cronExpression,
    schedule.timezone,
    schedule.status,
    schedule.nextRunAt ?? '',
  ]);
  context.say(rows.length === 0 ? `no schedules in tenant ${context.tenant}` : table([header, ...rows]));
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

export async function showOneSchedule(
  context: CommandContext,
  _options: object,
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  return await act(context, (client, acting) => showSchedule(client, acting, id));
}

export async function deleteOneSchedule(
  context: CommandContext,
  _options: object,
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await deleteSchedule(client, acting, id), SCHEDULE_WORDS),
  );
  context.printJson({ id, deleted: true });
  context.say(`${id} is deleted`);
  return 0;
}

export async function pauseOneSchedule(
  context: CommandContext,
  { reason }: { readonly reason?: string },
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  return await act(context, (client, acting) => pauseSchedule(client, acting, { id, reason }));
}

export async function resumeOneSchedule(
  context: CommandContext,
  _options: object,
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  return await act(context, (client, acting) => resumeSchedule(client, acting, id));
}

export function requireScheduleId(id: string): string {
  return requireUuid(id, '<id>') ?? id;
}

async function act(
  context: CommandContext,
  work: (client: pg.ClientBase, acting: Acting) => Promise<Outcome<ScheduleView>>,
): Promise<number> {
  const schedule = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await work(client, acting), SCHEDULE_WORDS),
  );
  print(context, schedule);
  return 0;
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

function print(context: CommandContext, schedule: ScheduleView): void {
  context.printJson(schedule);
  const rows = Object.entries(schedule)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  context.say(table(rows));
}
