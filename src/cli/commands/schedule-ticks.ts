// dagwright schedules ticks, preview, run and backfill: the times of a schedule.
import { instantMs } from '../../core/schedule/settings.ts';
import type { TickStatus } from '../../core/schedule/words.ts';
import {
  backfillSchedule,
  checkTiming,
  listTicks,
  previewExpression,
  previewSchedule,
  runSchedule,
} from '../../resources/schedules/ticks.ts';
import type { CommandContext } from '../context.ts';
import { printedPage } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../refusal.ts';
import { requireScheduleId, SCHEDULE_WORDS } from './schedules.ts';

export interface TickOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: TickStatus;
  readonly from?: string;
  readonly to?: string;
}

export async function listAllTicks(
  context: CommandContext,
  { limit, cursor, status, from, to }: TickOptions,
  id: string,
): Promise<number> {
  const scheduleId = requireScheduleId(id);
  for (const [option, text] of Object.entries({ '--from': from, '--to': to, '--cursor': cursor }))
    if (text !== undefined && Number.isNaN(instantMs(text)))
      throw refuse('usage', `${option}: "${text}" is not an instant`, '2027-01-01T00:00:00Z');
  const found = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      await listTicks(client, acting, { scheduleId, limit, before: cursor ?? null, status, from, to }),
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

export async function previewOne(
  context: CommandContext,
  { count, timezone }: { readonly count: number; readonly timezone?: string },
  target: string,
): Promise<number> {
  const isExpression = /\s/.test(target) || target.startsWith('@');
  if (!isExpression && timezone !== undefined)
    throw refuse('usage', '--timezone goes with an expression: a schedule has its own');
  const id = isExpression ? '' : requireScheduleId(target);
  const timing = { cronExpression: target, timezone, count };
  const refusal = isExpression ? checkTiming(timing) : null;
  if (refusal !== null) outcomeToRefusal(refusal, SCHEDULE_WORDS);
  const preview = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      isExpression
        ? await previewExpression(client, acting, timing)
        : await previewSchedule(client, acting, { id, count }),
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

export async function runOneSchedule(
  context: CommandContext,
  _options: object,
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  const execution = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await runSchedule(client, acting, id), SCHEDULE_WORDS),
  );
  context.printJson(execution);
  context.say(`execution ${execution.id} is pending`);
  return 0;
}

export async function backfillOneSchedule(
  context: CommandContext,
  { from, to }: { readonly from: string; readonly to: string },
  given: string,
): Promise<number> {
  const id = requireScheduleId(given);
  const filled = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await backfillSchedule(client, acting, { id, from, to }), SCHEDULE_WORDS),
  );
  context.printJson(filled);
  const rows = filled.executions.map(({ scheduledAt, executionId }) => [scheduledAt, executionId ?? '']);
  if (rows.length > 0)
    context.say(table([['scheduled', 'execution'].map((cell) => context.paint('bold', cell)), ...rows]));
  context.say(`${filled.started} started, ${filled.skipped} had been decided before`);
  return 0;
}
