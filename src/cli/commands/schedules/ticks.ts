// dagwright schedules ticks, preview, run and backfill: the times of a schedule.
import { instantMs } from '../../../core/schedule/settings.ts';
import { TICK_STATUSES, type TickStatus } from '../../../core/schedule/words.ts';
import {
  backfillSchedule,
  checkTiming,
  listTicks,
  PREVIEW_COUNT,
  previewExpression,
  previewSchedule,
  runSchedule,
} from '../../../resources/schedules/ticks.ts';
import { action } from '../../action.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { choice, paged, wholeNumber } from '../../input/arguments.ts';
import { printedPage, requireUuid } from '../../input/lists.ts';
import { table } from '../../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../../refusal.ts';

export const SCHEDULE_WORDS = { hints: { not_found: 'dagwright schedules list' } };

export function addTickCommands(schedules: Command): void {
  command(schedules, 'preview', 'the next times, in UTC and in the zone of the schedule')
    .argument('<id|cron>', 'a schedule, or an expression to try')
    .option('--timezone <zone>', 'of an expression: IANA name')
    .option(
      '--count <n>',
      `1 to ${PREVIEW_COUNT.max}`,
      wholeNumber(1, PREVIEW_COUNT.max),
      PREVIEW_COUNT.default,
    )
    .action(action(previewOne));
  command(schedules, 'run', 'start an execution now, which is no tick')
    .argument('<id>')
    .action(action(runOneSchedule));
  command(schedules, 'backfill', 'start the nominal times of a range that have no execution')
    .argument('<id>')
    .requiredOption('--from <instant>', 'inclusive, such as 2027-01-01T00:00:00Z')
    .requiredOption('--to <instant>', 'exclusive; not in the future')
    .action(action(backfillOneSchedule));
  paged(command(schedules, 'ticks', 'what became of each nominal time, the latest first'))
    .argument('<id>')
    .addOption(choice('--status <status>', 'only these', TICK_STATUSES))
    .option('--from <instant>', 'nominal times from here on')
    .option('--to <instant>', 'nominal times before')
    .action(action(listAllTicks));
}

interface TickOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: TickStatus;
  readonly from?: string;
  readonly to?: string;
}

async function listAllTicks(
  context: CommandContext,
  { limit, cursor, status, from, to }: TickOptions,
  id: string,
): Promise<number> {
  const scheduleId = requireUuid(id, '<id>');
  for (const [option, text] of Object.entries({ '--from': from, '--to': to, '--cursor': cursor }))
    if (text !== undefined && Number.isNaN(instantMs(text)))
      throw refuse('usage', `${option}: "${text}" is not an instant`, '2027-01-01T00:00:00Z');
  const found = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      await at(listTicks)(client, acting, { scheduleId, limit, before: cursor ?? null, status, from, to }),
      SCHEDULE_WORDS,
    ),
  );
  const page = printedPage(found, ({ scheduledAt }) => scheduledAt);
  context.printJson(page);
  const header = ['scheduled', 'status', 'execution', 'reason'].map((cell) => context.paint('bold', cell));
  const rows = page.items.map((tick) => [
    tick.scheduledAt,
    tick.status,
    tick.executionId ?? '',
    tick.reason ?? '',
  ]);
  context.say(rows.length === 0 ? 'no ticks' : table([header, ...rows]));
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

async function previewOne(
  context: CommandContext,
  { count, timezone }: { readonly count: number; readonly timezone?: string },
  target: string,
): Promise<number> {
  const isExpression = /\s/.test(target) || target.startsWith('@');
  if (!isExpression && timezone !== undefined)
    throw refuse('usage', '--timezone goes with an expression: a schedule has its own');
  const id = isExpression ? '' : requireUuid(target, '<id>');
  const timing = { cronExpression: target, timezone, count };
  const refusal = isExpression ? checkTiming(timing) : null;
  if (refusal !== null) outcomeToRefusal(refusal, SCHEDULE_WORDS);
  const preview = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      isExpression
        ? await at(previewExpression)(client, acting, timing)
        : await at(previewSchedule)(client, acting, { id, count }),
      SCHEDULE_WORDS,
    ),
  );
  const { items } = preview;
  context.printJson({ items });
  const rows = items.map(({ scheduledAt, localTime }) => [localTime, scheduledAt]);
  const header = [preview.timezone, 'UTC'].map((cell) => context.paint('bold', cell));
  context.say(items.length === 0 ? 'none comes' : table([header, ...rows]));
  return 0;
}

async function runOneSchedule(context: CommandContext, _options: object, given: string): Promise<number> {
  const id = requireUuid(given, '<id>');
  const execution = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(runSchedule)(client, acting, id), SCHEDULE_WORDS),
  );
  context.printJson(execution);
  context.say(`execution ${execution.id} is pending`);
  return 0;
}

async function backfillOneSchedule(
  context: CommandContext,
  { from, to }: { readonly from: string; readonly to: string },
  given: string,
): Promise<number> {
  const id = requireUuid(given, '<id>');
  const filled = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(backfillSchedule)(client, acting, { id, from, to }), SCHEDULE_WORDS),
  );
  context.printJson(filled);
  const rows = filled.executions.map(({ scheduledAt, executionId }) => [scheduledAt, executionId ?? '']);
  if (rows.length > 0)
    context.say(table([['scheduled', 'execution'].map((cell) => context.paint('bold', cell)), ...rows]));
  context.say(`${filled.started} started, ${filled.skipped} had been decided before`);
  return 0;
}
