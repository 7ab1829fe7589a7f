// dagwright schedules: by the same functions as the routes of the HTTP API. What is printed is committed. Their times:
// ticks.ts.
import type pg from 'pg';
import { SCHEDULE_STATUSES, type ScheduleStatus } from '../../../core/schedule/words.ts';
import type { Acting } from '../../../db/connection/connection.ts';
import type { Outcome } from '../../../resources/outcome.ts';
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  listSchedules,
  MAX_PAUSE_REASON,
  pauseSchedule,
  resumeSchedule,
  type ScheduleView,
  showSchedule,
} from '../../../resources/schedules/schedules.ts';
import { action } from '../../action.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { choice, paged, textWithin } from '../../input/arguments.ts';
import { printedPage, requireUuid } from '../../input/lists.ts';
import { table } from '../../output/terminal.ts';
import { statusBeside } from '../../output/trigger-status.ts';
import { outcomeToRefusal, refuse } from '../../refusal.ts';
import { readSettings, type SettingOptions, withSettings } from './settings.ts';
import { addTickCommands, SCHEDULE_WORDS } from './ticks.ts';

export function defineCommand(schedules: Command): void {
  schedules.addHelpText(
    'after',
    `
Examples:
  dagwright schedules create research-brief daily '0 9 * * 1-5' --timezone Europe/Paris --input '{"question":"What is new?"}'
  dagwright schedules preview '0 9 * * 1-5' --timezone Europe/Paris
  dagwright schedules ticks ID --status missed
  dagwright schedules backfill ID --from 2027-01-01T00:00:00Z --to 2027-01-02T00:00:00Z`,
  );
  paged(command(schedules, 'list', 'newest first'))
    .option('--workflow <workflowId>')
    .addOption(choice('--status <status>', 'only these', SCHEDULE_STATUSES))
    .action(action(listAllSchedules));
  withSettings('create', command(schedules, 'create', 'make a schedule; it is active at once'))
    .argument('<workflowId>')
    .argument('<name>', 'unique among the schedules of the workflow')
    .argument('<cron>', 'minute hour day-of-month month day-of-week, such as "0 9 * * 1-5"')
    .action(action(createOneSchedule));
  command(schedules, 'show', 'one schedule').argument('<id>').action(action(showOneSchedule));
  withSettings(
    'update',
    command(schedules, 'update', 'what is not named stays; another time counts from now on'),
  )
    .argument('<id>')
    .option('--name <name>')
    .option('--cron <expression>')
    .action(action(updateOneSchedule));
  command(schedules, 'delete', 'with its ticks; executions stay')
    .argument('<id>')
    .action(action(deleteOneSchedule));
  command(schedules, 'pause', 'nothing fires until it is resumed')
    .argument('<id>')
    .option('--reason <text>', '', textWithin({ minLength: 0, maxLength: MAX_PAUSE_REASON }))
    .action(action(pauseOneSchedule));
  command(schedules, 'resume', 'go on with the next nominal time from now on')
    .argument('<id>')
    .action(action(resumeOneSchedule));
  addTickCommands(schedules);
}

async function createOneSchedule(
  context: CommandContext,
  options: SettingOptions,
  workflowId: string,
  name: string,
  cronExpression: string,
): Promise<number> {
  const fields = { ...(await readSettings(options)), workflowId, name, cronExpression };
  return await act(context, (client, acting) => at(createSchedule)(client, acting, fields));
}

async function updateOneSchedule(
  context: CommandContext,
  options: SettingOptions & { readonly name?: string; readonly cron?: string },
  given: string,
): Promise<number> {
  const id = requireUuid(given, '<id>');
  const change = { ...(await readSettings(options)), name: options.name, cronExpression: options.cron };
  if (Object.values(change).every((value) => value === undefined))
    throw refuse('usage', 'nothing to change', 'dagwright schedules update --help names the options');
  return await act(context, (client, acting) => at(changeSchedule)(client, acting, { id, change }));
}

async function listAllSchedules(
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
    at(listSchedules)(client, acting, { limit, before, workflowId, status }),
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
    statusBeside(schedule),
    schedule.nextRunAt ?? '',
  ]);
  context.say(rows.length === 0 ? `no schedules in tenant ${context.tenant}` : table([header, ...rows]));
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

async function showOneSchedule(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = requireUuid(given, '<id>');
  return await act(context, (client, acting) => at(showSchedule)(client, acting, id));
}

async function deleteOneSchedule(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = requireUuid(given, '<id>');
  await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(deleteSchedule)(client, acting, id), SCHEDULE_WORDS),
  );
  context.printJson({ id, deleted: true });
  context.say(`${id} is deleted`);
  return 0;
}

async function pauseOneSchedule(
  context: CommandContext,
  { reason }: { readonly reason?: string },
  given: string,
): Promise<number> {
  const id = requireUuid(given, '<id>');
  return await act(context, (client, acting) => at(pauseSchedule)(client, acting, { id, reason }));
}

async function resumeOneSchedule(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = requireUuid(given, '<id>');
  return await act(context, (client, acting) => at(resumeSchedule)(client, acting, id));
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

function print(context: CommandContext, schedule: ScheduleView): void {
  context.printJson(schedule);
  const rows = Object.entries(schedule)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  context.say(table(rows));
}
